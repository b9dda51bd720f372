/** Pages of whoever sees many organizations: they read little, however many there are, and say what they then show. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import { GRANULARITIES, granularityWithin, ROWS_MAX } from "../../../src/core/metrics/buckets.ts";
import { RANGES } from "../../../src/core/metrics/time_range.ts";
import { type Browsing, somebody } from "../../support/accounts/people.ts";
import { TOKEN, V1 } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { computed } from "../../support/metrics/computed.ts";
import { makeOrgs, writeLists, writeRollups } from "../../support/metrics/many_orgs.ts";
import { chartIn, figureIn } from "../../support/metrics/read_page.ts";
import { asked, rowsRead } from "../../support/rows_read.ts";

const DAY = 86_400_000;
/** As long as it is shown by the hour. */
const fortnight = () => new Date(Date.now() - 14.9 * DAY).toISOString();
const PAGES = [
  ...["/board?", "/board/throughput?", "/board/scheduler?", "/board/durations?", "/board/workers?"],
  ...["/board/network?", "/board/cache?", "/board/background?", "/board/jobs?tab=longest&"],
];
const ANSWERS = [
  ...[
    "board/scoring/summary",
    "board/durations/heatmap",
    "board/fleet",
    "board/cache",
    "board/network",
  ],
  ...["board/jobs/expensive", "board/expensive/top-orgs"],
];
let box: BoardBox;
let sql: postgres.Sql;
let orgs: number[];
/** Of seventeen of eighteen. */
let member: Browsing;

before(async () => {
  box = await boardBox({ engine: { rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 } });
  sql = postgres(box.database.url, { max: 1, onnotice: () => {} });
  const all = await makeOrgs(sql, 18);
  orgs = all.slice(0, 17);
  await box.directory.refresh();
  member = await somebody(box, { roles: Object.fromEntries(orgs.map((id) => [id, "viewer"])) });
  await computed(box.engine.rollups, sql);
  await writeRollups(sql, all, Date.now());
  await writeLists(sql, all);
  await sql`analyze`;
});
after(async () => {
  await sql.end();
  assert.deepEqual(box.troubles, []);
  await box.close();
});

type Asks = (path: string) => Promise<Response>;
const page = async (get: Asks, path: string) => {
  const answer = await get(path);
  return { status: answer.status, html: await answer.text() };
};
const call = (path: string, headers: Record<string, string>) =>
  box.fetch(new Request(`http://board${V1}/${path}`, { headers }));
const asMember: Asks = (path) => call(path, { cookie: member.cookie });
const asSuperuser: Asks = (path) => call(path, { authorization: `Bearer ${TOKEN}` });

async function readsLittle(get: Asks, path: string, allowed: readonly number[]): Promise<void> {
  let status = 0;
  const sent = await asked(box.database.reads, async () => {
    const answer = await get(path);
    await answer.text();
    status = answer.status;
  });
  assert.ok(allowed.includes(status), `${path}: ${status}`);
  assert.ok(sent.some(({ text }) => /rollup_|ranking/.test(text)) || status !== 200, path);
  for (const statement of sent) {
    const rows = await rowsRead(sql, statement);
    assert.ok(rows <= ROWS_MAX, `${path}: ${rows} rows of ${statement.text}`);
  }
}

test("the finest granularity is chosen that reads little, for any number of organizations", () => {
  const now = Date.UTC(2026, 10, 23, 10, 17, 3);
  for (const span of [...Object.values(RANGES), 31 * DAY, 400 * DAY]) {
    const from = now - span;
    let last = 0;
    for (let groups = 1; groups < 12_000; groups = Math.ceil(groups * 1.1)) {
      const of = (granularity: (typeof GRANULARITIES)[number]) =>
        granularityWithin({ granularity, from, to: now }, groups);
      const chosen = of("minute");
      const at = chosen === null ? GRANULARITIES.length : GRANULARITIES.indexOf(chosen);
      assert.ok(at >= last, "more organizations are never read more finely");
      last = at;
      assert.equal(of("hour"), chosen === "minute" ? "hour" : chosen);
      if (chosen === null) continue;
      const width = { minute: 60_000, hour: 3_600_000, day: DAY, week: 7 * DAY }[chosen];
      assert.ok((span / width) * groups <= ROWS_MAX);
    }
    assert.equal(last, GRANULARITIES.length, "too many are refused");
  }
});

describe("a member of seventeen organizations", () => {
  test("reads at most 5,000 rows with any question of any page, and of the API", async () => {
    for (const range of ["24h", "7d", "30d", "90d"]) {
      for (const path of PAGES) await readsLittle(member.get, `${path}range=${range}`, [200]);
    }
    const month = `from=${new Date(Date.now() - 30.9 * DAY).toISOString()}`;
    for (const path of ANSWERS) {
      const words = path.includes("expensive") ? "window_days=90" : month;
      await readsLittle(asMember, `${path}?${words}`, path.includes("top-orgs") ? [403] : [200]);
    }
  });

  test("is shown two weeks by the day, is told so, and by the hour of one organization", async () => {
    const span = `from=${fortnight()}`;
    const { html } = await page(member.get, `/board/throughput?${span}`);
    const { step, start, values } = chartIn(html, "pipeline");
    assert.equal(step, DAY);
    assert.equal(start % DAY, 0);
    assert.match(html, /You see many organizations.*added up by the day, over whole days/s);
    assert.match(html, /Choose one organization to see them by the hour/);
    const exact = await sql`
      select extract(epoch from date_trunc('day', bucket_start, 'UTC'))::float8 * 1000 as day, sum(count)::float8 as n
      from rollup_hour where metric_id = 3 and org_id = any(${orgs}) group by 1`;
    const days = new Map(exact.map((row) => [row.day, row.n]));
    const shown = values.get("Succeeded")!;
    assert.deepEqual(
      shown,
      shown.map((_, at) => days.get(start + at * DAY) ?? null),
    );
    const one = await page(member.get, `/board/throughput?${span}&org=busy-3`);
    assert.equal(chartIn(one.html, "pipeline").step, 3_600_000);
    assert.doesNotMatch(one.html, /You see many organizations/);
    const day = await page(member.get, "/board/throughput?range=24h");
    assert.equal(chartIn(day.html, "pipeline").step, 3_600_000);
  });

  test("is answered by the day in JSON, which names it", async () => {
    const from = fortnight();
    const json = await (await asMember(`board/durations/heatmap?from=${from}`)).json();
    assert.equal(json.granularity, "day");
    const one = await (await asMember(`board/durations/heatmap?from=${from}&org=busy-2`)).json();
    assert.equal(one.granularity, "hour");
  });

  test("is shown the costliest attempts of a quarter out of 12,000 places", async () => {
    const json = await (await asMember("board/jobs/expensive?window_days=90")).json();
    const exact = await sql`
      select value, job_id from ranking where metric_id = 20 and org_id = any(${orgs})
        and day between ${json.from}::date and ${json.to}::date
      order by value desc, job_id, attempt limit 20`;
    assert.equal(exact.length, 20);
    assert.deepEqual(
      json.items.map(({ job, value }: { job: string; value: number }) => [value, job]),
      exact.map((row) => [row.value, row.job_id]),
    );
  });
});

describe("where there are hundreds of organizations", () => {
  before(async () => {
    await sql`insert into org (name, is_public) select 'open-' || i, true from generate_series(1, 700) i`;
    await box.directory.refresh();
    // What was read for others a moment ago is theirs.
    member = { ...member, ...(await somebody(box, { roles: { [orgs[0]!]: "viewer" } })) };
  });

  test("nobody reads more than 5,000 rows, neither by side nor each by itself", async () => {
    for (const range of ["1h", "24h", "30d", "90d"]) {
      for (const path of PAGES) {
        await readsLittle(member.get, `${path}range=${range}`, [200, 422]);
        await readsLittle((at) => box.get(at), `${path}range=${range}`, [200]);
      }
    }
    for (const path of ANSWERS) {
      const words = path.includes("expensive") ? "window_days=30" : "";
      await readsLittle(asMember, `${path}?${words}`, [200, 403, 422]);
      await readsLittle(asSuperuser, `${path}?${words}`, [200, 422]);
    }
  });

  test("who sees them all by name is shown a month by the week, and a quarter of one of them", async () => {
    const month = await page(member.get, "/board?range=30d");
    assert.equal(chartIn(month.html, "completed").step, 7 * DAY);
    assert.match(month.html, /added up by the week, over whole weeks/);
    const exact = await sql`
      select sum(count)::float8 as n from rollup_week where metric_id = 2 and org_id = ${orgs[0]!}
        and bucket_start >= ${new Date(chartIn(month.html, "completed").start)}`;
    assert.equal(figureIn(month.html, "dispatched"), exact[0]!.n.toLocaleString("en-US"));
    const quarter = await page(member.get, "/board/throughput?range=90d");
    assert.equal(quarter.status, 422);
    assert.match(
      quarter.html,
      /adds up 702 organizations, which is too much for one answer: name one/,
    );
    const own = await page(member.get, "/board/throughput?range=90d&org=busy-1");
    assert.equal(own.status, 200);
    const lists = await asMember("board/jobs/expensive?window_days=30");
    assert.equal(lists.status, 422);
    assert.match((await lists.json()).detail, /lists of 701 groups on 30 days/);
  });

  test("a superuser is told of each by whole weeks, or that they are too many", async () => {
    const month = await page((path) => box.get(path), "/board/jobs?tab=longest&range=30d");
    assert.match(month.html, /by their end in 30d, of whole weeks/);
    const quarter = await page((path) => box.get(path), "/board/scheduler?range=90d");
    assert.match(quarter.html, /There are too many organizations to add them up over this time/);
    assert.equal(quarter.status, 200);
    const top = await asSuperuser("board/expensive/top-orgs?window_days=90");
    assert.equal(top.status, 422);
    assert.equal((await asSuperuser("board/expensive/top-orgs")).status, 200);
  });
});
