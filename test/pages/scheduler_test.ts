/** Every number of the scheduler's page against plain SQL over the same rows, and against the API. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RULES } from "../../src/core/scoring/score.ts";
import { count, decimal, duration, signed } from "../../src/web/format.ts";
import { somebody } from "../support/accounts/people.ts";
import { HandWorker } from "../support/api_box.ts";
import type { BoardBox } from "../support/board_box.ts";
import {
  type Asker,
  assertNear,
  type ChartBox,
  chartBox,
  drawn,
  millisecondsOf,
} from "../support/metrics/chart_box.ts";
import { writeSamples } from "../support/metrics/raw_samples.ts";
import { chartIn, figureIn, type ReadChart } from "../support/metrics/read_page.ts";

let box: ChartBox;
/** Of default, and of acme, which it passed over. */
let winner: string;
let loser: string;

before(async () => {
  box = await chartBox({ n: 500, seed: 23 }, async (board, sql, orgs) => {
    const now = Date.now();
    await writeSamples(sql, orgs, { from: now - 90_000, to: now - 1_000, every: 3_000, seed: 4 });
    await contest(board);
  });
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

/** One slot that two jobs want. */
async function contest(board: BoardBox): Promise<void> {
  const submit = async (org: string, priority: number) => {
    const requirements = { pool: "narrow" };
    const body = { name: `${org}-job`, payload: { command: ["true"] }, requirements, priority };
    return (await board.call("POST", `/api/v1/orgs/${org}/jobs`, body)).json.id as string;
  };
  loser = await submit("acme", 0);
  winner = await submit("default", 100);
  await board.reaches(loser, "ready");
  await board.reaches(winner, "ready");
  const hello = { name: "narrow", pool: "narrow", concurrency: 1 };
  const worker = await HandWorker.connect(board.engine, hello, null);
  for (const job of [winner, loser]) {
    const lease = await worker.take(job);
    worker.start(lease);
    worker.end(lease);
    await board.reaches(job, "succeeded");
  }
  worker.leave();
}

const askers = (): Asker[] => [box.superuser, box.member];

/** `value` of rows of phase_event by bucket; bucket -1 is the whole span. */
async function waits({ start, step, values }: ReadChart, { orgs }: Asker, state: string) {
  const buckets = Math.max(...[...values.values()].map((line) => line.length));
  const rows = await box.sql.unsafe(
    `with rows as (
       select floor((extract(epoch from at) * 1000 - $1) / $2)::int as bucket,
         (extract(epoch from at - since) * 1000)::float8 as value
       from phase_event where org_id = any($3) and state = '${state}' and since is not null
         and from_state is distinct from state),
     inside as (select * from rows where bucket >= 0 and bucket < $4)
     select coalesce(bucket, -1) as bucket, count(*)::int as n, avg(value) as mean,
       percentile_disc(0.95) within group (order by value) as p95
     from inside group by grouping sets ((bucket), ())`,
    [start, step, orgs, buckets] as never[],
  );
  return new Map(rows.map((row) => [row.bucket as number, row]));
}

/** Of the span of a chart of the same page. */
async function scores({ start, step, values }: ReadChart, { orgs }: Asker): Promise<number[]> {
  const end = start + step * Math.max(...[...values.values()].map((line) => line.length));
  const rows = await box.sql`
    select score::float8 from dispatched_job where org_id = any(${orgs}) and score is not null
      and ended_at >= ${new Date(start)} and ended_at < ${new Date(end)}`;
  return rows.map((row) => row.score as number);
}

describe("the scheduler's page", () => {
  test("shows how long jobs waited in the queue and for dependencies", async () => {
    for (const asker of askers()) {
      for (const range of ["24h", "6h"]) {
        const html = await box.page(`/board/scheduler?range=${range}`, asker);
        const chart = chartIn(html, "waits");
        const queue = await waits(chart, asker, "dispatched");
        const dependencies = await waits(chart, asker, "ready");
        const line = (name: string) => chart.values.get(name)!;
        for (const at of line("Queue, mean").keys()) {
          const what = `${asker.who}, ${range}, ${at}`;
          assertNear(line("Queue, mean")[at], drawn(queue.get(at)?.mean), what);
          assertNear(line("Queue, p95")[at], queue.get(at)?.p95 ?? null, what);
          assertNear(line("Dependencies")[at], drawn(dependencies.get(at)?.mean), what);
        }
        assert.equal(figureIn(html, "queue-mean"), duration(queue.get(-1)!.mean));
        assert.match(html, new RegExp(`of ${count(queue.get(-1)!.n)} dispatches`));
        assert.equal(figureIn(html, "deps-mean"), duration(dependencies.get(-1)!.mean));
        assert.match(html, new RegExp(`of ${count(dependencies.get(-1)!.n)} jobs`));
        const shown = millisecondsOf(figureIn(html, "queue-p95"));
        const exact = queue.get(-1)!.p95;
        // What is written leaves the last unit's rest away.
        const rest = shown < 10_000 ? 100 : 1_000;
        assert.ok(
          shown <= exact * 1.0101 && shown + rest >= exact * 0.9899,
          `${shown}, not ${exact}`,
        );
      }
    }
  });

  test("shows how scores are distributed, in few bars with whole edges, as the API does", async () => {
    for (const asker of askers()) {
      const html = await box.page("/board/scheduler", asker);
      const exact = await scores(chartIn(html, "waits"), asker);
      const bars = chartIn(html, "scores").values.get("Attempts")!;
      const api = await box.json("/api/v1/board/scoring/summary?window_hours=24", asker);
      assert.deepEqual(
        api.histogram.map((bar: { count: number }) => bar.count),
        bars,
      );
      assert.ok(bars.length > 5 && bars.length <= 24, `${bars.length} bars`);
      for (const { lo, hi, count: n } of api.histogram) {
        assert.equal(
          n,
          exact.filter((score) => score >= lo && score < hi).length,
          `${lo} to ${hi}`,
        );
      }
      assert.ok(exact.length > 50);
      const mean = exact.reduce((sum, score) => sum + score, 0) / exact.length;
      assert.equal(api.sample_size, exact.length);
      assert.equal(api.score_min, Math.min(...exact));
      assert.equal(api.score_max, Math.max(...exact));
      assertNear(api.score_avg + 1_000, mean + 1_000, "mean");
      assert.equal(figureIn(html, "scored"), count(exact.length));
      assert.equal(figureIn(html, "score-mean"), decimal(mean));
      const range = `${decimal(Math.min(...exact))} to ${decimal(Math.max(...exact))}`;
      assert.equal(figureIn(html, "score-range"), range);
    }
  });

  test("shows what each rule gave, the greatest first, and explains it without a script", async () => {
    for (const asker of askers()) {
      const html = await box.page("/board/scheduler", asker);
      const { start, step, values } = chartIn(html, "waits");
      const end = start + step * values.get("Dependencies")!.length;
      const rows = await box.sql`
        select place, avg(term) as avg, min(term) as min, max(term) as max, count(*)::int as n from (
          select t.place, k.terms[(d.beat_place - 1) * k.terms_each + t.place]::float8 as term
          from dispatched_job d join decision k on k.beat = d.beat
          cross join generate_series(1, ${RULES.length}) as t(place)
          where d.org_id = any(${asker.orgs}) and d.ended_at >= ${new Date(start)}
            and d.ended_at < ${new Date(end)}) t
        group by place`;
      const api = await box.json("/api/v1/board/scoring/summary", asker);
      const shown = [...html.matchAll(/data-rule="(\w+)">(.*?)<\/tr>/gs)];
      assert.deepEqual(
        shown.map(([, rule]) => rule),
        api.rules.map((one: { rule: string }) => one.rule),
      );
      let before = Number.POSITIVE_INFINITY;
      for (const [at, [, name, html]] of shown.entries()) {
        const rule = RULES.find((one) => one.name === name)!;
        const exact = rows.find((row) => row.place === RULES.indexOf(rule) + 1)!;
        const cells = [...html!.matchAll(/<td class="c-num[^"]*">(.*?)<\/td>/g)].map(
          ([, text]) => text!,
        );
        assert.deepEqual(
          cells,
          [exact.avg, exact.min, exact.max].map((n) => signed(n)),
          name!,
        );
        assert.ok(html!.includes(`popovertarget="help-${name}"`) && html!.includes(" popover>"));
        assert.ok(Math.abs(exact.avg) <= before + 1e-9, "sorted by how much they moved");
        before = Math.abs(exact.avg);
        const { avg, min, max, count: n } = api.rules[at];
        assert.ok(Math.abs(avg - exact.avg) < 1e-6);
        assert.deepEqual([min, max, n], [exact.min, exact.max, exact.n]);
      }
      assert.equal(shown.length, RULES.length);
    }
  });

  test("says whose share of slots was how large, and tells members nothing of others", async () => {
    const samples = await box.sql`
      select org_id, sum(active)::float8 as active, sum(slots_entitled)::float8 as entitled, count(*)::int as looks
      from instance_sample group by 1`;
    const of = (id: number) => samples.find((row) => row.org_id === id)!;
    const all = of(0);
    const html = await box.page("/board/scheduler", box.superuser);
    const chart = chartIn(html, "fairness");
    const names = (chart.option.yAxis as { data: string[] }).data;
    assert.deepEqual([...names].sort(), ["acme", "default"]);
    for (const [at, name] of names.entries()) {
      const { active, entitled } = of(box.directory.byName(name)!.id);
      assertNear(chart.values.get("Held")![at], (active / all.active) * 100, name);
      assertNear(chart.values.get("Entitled")![at], (entitled / all.active) * 100, name);
    }
    const own = chartIn(await box.page("/board/scheduler", box.member), "fairness");
    assert.deepEqual((own.option.yAxis as { data: string[] }).data, ["acme"]);
    assert.deepEqual([...own.values.keys()], ["Slots"]);
    const acme = of(box.member.orgs[0]!);
    assertNear(own.values.get("Slots")![0], acme.active / all.looks, "slots of one's own");
  });

  test("lists who was passed over, and to members no job, name or score of others", async () => {
    const whole = partOf(await box.page("/board/scheduler", box.superuser));
    const explained = await box.json(`/api/v1/jobs/${winner}/explain`, box.superuser);
    const points = (n: number) => signed(n).replace("+", "");
    const [rival] = explained.dispatch.candidates;
    assert.equal(rival.job, loser);
    assert.ok(whole.includes(`data-dispatch="${winner}"`));
    assert.ok(whole.includes("acme-job"));
    assert.ok(whole.includes(points(explained.dispatch.score)));
    assert.ok(whole.includes(`${points(explained.dispatch.score - rival.score)} behind`));
    assert.match(whole, /1 job passed over 1 time\b/);
    const part = partOf(await box.page("/board/scheduler", box.member));
    for (const secret of [winner, "default-job"]) assert.ok(!part.includes(secret), secret);
    assert.match(part, /Nobody was passed over in the dispatches/);
  });

  test("hides rivals of others behind how many they are", async () => {
    const org = box.directory.byName("default")!.id;
    const { cookie } = await somebody(box, { roles: { [org]: "viewer" } });
    const asker = { who: "a member of default", headers: { cookie }, orgs: [org] };
    const part = partOf(await box.page("/board/scheduler", asker));
    assert.ok(part.includes(`data-dispatch="${winner}"`));
    assert.match(part, /1 job of other organizations/);
    for (const secret of [loser, "acme", "behind"]) assert.ok(!part.includes(secret), secret);
  });

  function partOf(html: string): string {
    return /<section class="card passed-over".*?<\/section>/s.exec(html)![0];
  }

  test("shows the waits alone where a queue or a name is asked for, and says why", async () => {
    const html = await box.page("/board/scheduler?org=acme&queue=night", box.member);
    assert.match(html, /Scores and slots are kept by organization, not by queue or name/);
    assert.doesNotMatch(html, /data-chart="scores"/);
    const [exact] = await box.sql`
      select avg(extract(epoch from e.at - e.since) * 1000)::float8 as mean from phase_event e
      join queue q on q.id = e.queue_id join org o on o.id = e.org_id
      where e.state = 'dispatched' and o.name = 'acme' and q.name = 'night'
        and e.at >= ${new Date(chartIn(html, "waits").start)}`;
    assert.equal(figureIn(html, "queue-mean"), duration(exact!.mean));
  });
});

describe("the summary of scores", () => {
  test("is narrowed to an organization and to a span", async () => {
    const path = "/api/v1/board/scoring/summary";
    const own = await box.json(`${path}?org=acme`, box.superuser);
    assert.equal(own.sample_size, (await box.json(path, box.member)).sample_size);
    const from = new Date(Date.now() - 6 * 3_600_000).toISOString();
    const part = await box.json(`${path}?from=${from}`, box.superuser);
    const [exact] = await box.sql`
      select count(*)::int as n from dispatched_job where score is not null
        and ended_at >= ${new Date(part.from)} and ended_at < ${new Date(part.to)}`;
    assert.equal(part.sample_size, exact!.n);
  });

  test("refuses what makes no span, and what is hidden", async () => {
    const ask = (query: string) => box.call("GET", `/api/v1/board/scoring/summary?${query}`);
    assert.equal((await ask("org=nowhere")).status, 404);
    assert.equal((await ask("window_hours=0")).status, 422);
    assert.equal((await ask("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")).status, 422);
    assert.equal((await ask("from=2026-01-01T00:00:00Z&window_hours=3")).status, 422);
    assert.equal((await ask("from=2020-01-01T00:00:00Z")).status, 422);
  });

  test("leaves entitlements to superusers, since from one's own the others' can be told", async () => {
    const path = "/api/v1/metrics/query?metric=slots.entitled&org=acme";
    assert.equal((await box.open(path, box.member)).status, 403);
    assert.equal((await box.open(path, box.superuser)).status, 200);
  });
});
