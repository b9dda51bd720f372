/** Every number of the page of durations against plain SQL over the same rows, and against the API. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DURATION_BANDS } from "../../src/core/metrics/catalogue.ts";
import { duration, percent } from "../../src/web/format.ts";
import {
  type Asker,
  assertNear,
  type ChartBox,
  chartBox,
  drawn,
  millisecondsOf,
} from "../support/metrics/chart_box.ts";
import { chartIn, figureIn, type ReadChart } from "../support/metrics/read_page.ts";

let box: ChartBox;
before(async () => {
  box = await chartBox({ n: 500, seed: 11 });
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const askers = (): Asker[] => [box.superuser, box.member];
const lengthOf = (chart: ReadChart) => Math.max(...[...chart.values.values()].map((v) => v.length));

/** Statistics of `value` over rows of `source`, by bucket; bucket -1 is the whole span. */
async function statistics(
  { start, step }: { start: number; step: number },
  buckets: number,
  { orgs }: Asker,
  [source, at, value, where]: [string, string, string, string],
) {
  const rows = await box.sql.unsafe(
    `with rows as (
       select floor((extract(epoch from ${at}) * 1000 - $1) / $2)::int as bucket, (${value})::float8 as value
       from ${source} where org_id = any($3) and ${where}),
     inside as (select * from rows where bucket >= 0 and bucket < $4)
     select coalesce(bucket, -1) as bucket, count(*)::int as n, avg(value) as mean, max(value) as most,
       percentile_disc(0.5) within group (order by value) as p50,
       percentile_disc(0.95) within group (order by value) as p95
     from inside group by grouping sets ((bucket), ())`,
    [start, step, orgs, buckets] as never[],
  );
  return new Map(rows.map((row) => [row.bucket as number, row]));
}

const RUNS: [string, string, string, string] = [
  "dispatched_job",
  "ended_at",
  "run_ms",
  "outcome = 'succeeded' and run_ms is not null",
];

const waited = (state: string): [string, string, string, string] => [
  "phase_event",
  "at",
  "extract(epoch from at - since) * 1000",
  `state = '${state}' and from_state is distinct from state and since is not null`,
];

describe("the page of durations", () => {
  test("shows how long attempts ran, by bucket and over the whole span", async () => {
    for (const asker of askers()) {
      for (const range of ["24h", "6h", "7d"]) {
        const what = `${asker.who}, ${range}`;
        const html = await box.page(`/board/durations?range=${range}`, asker);
        const chart = chartIn(html, "trend");
        const buckets = lengthOf(chart);
        const exact = await statistics(chart, buckets, asker, RUNS);
        const line = (name: string) => chart.values.get(name)!;
        for (let at = 0; at < buckets; at += 1) {
          const row = exact.get(at);
          assertNear(line("Mean")[at], drawn(row?.mean), what);
          assert.equal(line("Longest")[at], drawn(row?.most), what);
          assertNear(line("p50")[at], row?.p50 ?? null, what);
          assertNear(line("p95")[at], row?.p95 ?? null, what);
        }
        const whole = exact.get(-1)!;
        assert.ok(whole.n > 10, what);
        assert.equal(figureIn(html, "mean"), duration(whole.mean), what);
        assert.equal(figureIn(html, "most"), duration(whole.most), what);
        assert.match(html, new RegExp(`of ${whole.n} attempts that succeeded`), what);
        for (const key of ["p50", "p95"]) isWithin(figureIn(html, key), whole[key], what);
      }
    }
  });

  /** What is written leaves the last unit's rest away. */
  function isWithin(text: string, exact: number, what: string): void {
    const shown = millisecondsOf(text);
    const rest = shown < 1_000 ? 1 : shown < 10_000 ? 100 : shown < 3_600_000 ? 1_000 : 60_000;
    const isNear = shown <= exact * 1.0101 && shown + rest >= exact * 0.9899;
    assert.ok(isNear, `${what}: ${text}, not ${exact}`);
  }

  test("shows how many ran how long, as the API does", async () => {
    for (const asker of askers()) {
      const html = await box.page("/board/durations", asker);
      const chart = chartIn(html, "bands");
      const [series] = chart.option.series as { data: number[][] }[];
      const shown = new Map(series!.data.map(([at, band, n]) => [`${at} ${band}`, n]));
      const api = await box.json("/api/v1/board/durations/heatmap?window_hours=24", asker);
      assert.equal(api.bands.length, DURATION_BANDS.length + 1);
      let last = 0;
      let total = 0;
      for (let band = 0; band < api.bands.length; band += 1) {
        const low = band === 0 ? "true" : `run_ms >= ${DURATION_BANDS[band - 1]}`;
        const high = band === DURATION_BANDS.length ? "true" : `run_ms < ${DURATION_BANDS[band]}`;
        const where = `${RUNS[3]} and ${low} and ${high}`;
        const exact = await statistics(chart, api.times.length, asker, [
          ...RUNS.slice(0, 3),
          where,
        ] as never);
        for (const at of api.times.keys()) {
          const n = exact.get(at)?.n ?? 0;
          assert.equal(shown.get(`${at} ${band}`) ?? 0, n, `${asker.who}, band ${band}, ${at}`);
          assert.equal(api.bands[band].counts[at] ?? 0, n);
        }
        last = exact.get(-1)!.n;
        total += last;
      }
      assert.equal(Date.parse(api.times[0]), chart.start);
      assert.ok(total > 50);
      assert.equal(figureIn(html, "slowest"), percent(last / total));
    }
  });

  test("shows where time goes", async () => {
    for (const asker of askers()) {
      const html = await box.page("/board/durations", asker);
      const chart = chartIn(html, "split");
      const lines = {
        Dependencies: waited("ready"),
        "In line": waited("dispatched"),
        Starting: waited("running"),
        Running: RUNS,
      };
      for (const [name, of] of Object.entries(lines)) {
        const shown = chart.values.get(name)!;
        const exact = await statistics(chart, shown.length, asker, of);
        assert.ok(exact.get(-1)!.n > 50);
        for (const [at, value] of shown.entries()) {
          assertNear(value, drawn(exact.get(at)?.mean), `${asker.who}: ${name}`);
        }
      }
    }
  });

  test("is narrowed to a queue or a name, and leads to the jobs that it counts", async () => {
    const html = await box.page("/board/durations?org=acme&queue=night", box.member);
    const chart = chartIn(html, "trend");
    const night = `${RUNS[3]} and queue_id = (select q.id from queue q join org o on o.id = q.org_id
      where o.name = 'acme' and q.name = 'night')`;
    const exact = await statistics(chart, lengthOf(chart), box.member, [
      ...RUNS.slice(0, 3),
      night,
    ] as never);
    assert.equal(figureIn(html, "mean"), duration(exact.get(-1)!.mean));
    const opens = JSON.parse(/data-chart="trend">(.*?)<\/script>/s.exec(html)![1]!).opens as string;
    const url = new URL(opens.replace("{from}", "A").replace("{to}", "B"), "http://board");
    const search = "org:acme queue:night state:succeeded ended:>=A ended:<B";
    assert.equal(url.searchParams.get("q"), search);
  });

  test("says so where there is nothing, and what to do", async () => {
    const html = await box.page("/board/durations?from=2024-01-01&to=2024-01-02", box.superuser);
    assert.match(html, /No attempt succeeded in this time/);
    assert.match(html, /Nothing is known of this time: the history begins/);
    assert.equal(figureIn(html, "mean"), "–");
  });
});
