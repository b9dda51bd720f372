/** Every number of the page of background jobs against plain SQL over the same rows. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type postgres from "postgres";
import { DURATION_BANDS } from "../../../src/core/metrics/catalogue.ts";
import {
  type Asker,
  assertNear,
  type ChartBox,
  chartBox,
} from "../../support/metrics/chart_box.ts";
import { figureOf, tableRows } from "../../support/metrics/printed_charts.ts";
import { chartIn, type ReadChart } from "../../support/metrics/read_page.ts";

let box: ChartBox;
before(async () => {
  box = await chartBox({ n: 600, seed: 77 });
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const askers = (): Asker[] => [box.superuser, box.member];
const RUN = `(d.outcome in ('failed', 'timed_out') or d.outcome = 'lost' and d.started_at is not null)`;

interface Exact {
  org: string;
  name: string;
  counted: boolean;
  good: number;
  bad: number;
  p50: number;
  p95: number;
  items: number[];
  success: Date | null;
}

/** Of each name, over [from, to). */
async function exact({ orgs }: Asker, from: number, to: number): Promise<Exact[]> {
  return (await box.sql.unsafe(
    `select o.name as org, n.name, n.counted,
       count(*) filter (where d.outcome = 'succeeded')::int as good, count(*) filter (where ${RUN})::int as bad,
       percentile_disc(0.5) within group (order by d.run_ms) as p50,
       percentile_disc(0.95) within group (order by d.run_ms) as p95,
       array[sum(coalesce(d.items_success, 0)), sum(coalesce(d.items_failed, 0)),
         sum(coalesce(d.items_skipped, 0))]::float8[] as items,
       (select max(s.ended_at) from dispatched_job s where s.name_id = n.id and s.outcome = 'succeeded') as success
     from dispatched_job d join org o on o.id = d.org_id join job_name n on n.id = d.name_id
     where d.org_id = any($1) and d.ended_at >= to_timestamp($2 / 1000.0) and d.ended_at < to_timestamp($3 / 1000.0)
     group by n.id, o.name, n.name, n.counted`,
    [orgs, from, to] as never[],
  )) as unknown as Exact[];
}

const rowsOf = async (path: string, asker: Asker) => {
  const { columns, rows } = await box.json(path, asker);
  return (rows as unknown[][]).map((row) =>
    Object.fromEntries(columns.map((column: string, at: number) => [column, row[at]])),
  );
};

/** By bucket of a chart. */
async function perBucket(
  { start, step, values }: ReadChart,
  { orgs }: Asker,
  { what, where }: { what: string; where: string },
): Promise<number[]> {
  const buckets = Math.max(...[...values.values()].map((line) => line.length));
  const rows: postgres.Row[] = await box.sql.unsafe(
    `select floor((extract(epoch from d.ended_at) * 1000 - $1) / $2)::int as bucket, ${what}::float8 as n
     from dispatched_job d join org o on o.id = d.org_id join job_name j on j.id = d.name_id
     where d.org_id = any($3) and ${where} group by 1`,
    [start, step, orgs] as never[],
  );
  const found = new Map(rows.map((row) => [row.bucket, row.n]));
  return Array.from({ length: buckets }, (_, bucket) => found.get(bucket) ?? 0);
}

const known = (line: readonly (number | null)[] | undefined) => (line ?? []).map((n) => n ?? 0);
const sum = (line: readonly number[]) => line.reduce((all, one) => all + one, 0);
const GOOD = "d.outcome = 'succeeded'";

for (const at of [0, 1]) {
  describe(`to ${["a superuser", "a member"][at]}, background jobs`, () => {
    test("are counted by name over the whole range, minute by minute and hour by hour", async () => {
      const asker = askers()[at]!;
      for (const range of ["15m", "1h", "6h", "24h", "7d"]) {
        const html = await box.page(`/board/background?range=${range}`, asker);
        const { start, step, values } = chartIn(html, "status");
        const to = start + values.get("Succeeded")!.length * step;
        const wanted = (await exact(asker, start, to)).filter((one) => one.counted);
        const shown = await rowsOf(
          `/board/background?range=${range}&chart=names&format=json`,
          asker,
        );
        for (const one of wanted) {
          const row = shown.find((some) => some.org === one.org && some.name === one.name);
          const what = `${one.org}/${one.name} in ${range}`;
          assert.ok(row, what);
          assert.deepEqual(
            [row.succeeded, row.failed, row.runs],
            [one.good, one.bad, one.good + one.bad],
            what,
          );
          const items = [row.items_success, row.items_failed, row.items_skipped];
          assert.deepEqual(items, one.items.map(Number), what);
          assertNear(row.p50_ms, one.p50, `p50 of ${what}`);
          assertNear(row.p95_ms, one.p95, `p95 of ${what}`);
          const runs = one.good + one.bad;
          assert.equal(row.success_rate, runs === 0 ? null : one.good / runs, what);
          assert.equal(row.failure_rate, runs === 0 ? null : one.bad / runs, what);
          assert.equal(Date.parse(row.last_success_at as string), one.success!.getTime(), what);
        }
        if (range !== "15m") assert.ok(wanted.length > (at === 0 ? 3 : 1), range);
        const others = shown.filter(
          (row) => !wanted.some((one) => one.org === row.org && one.name === row.name),
        );
        for (const row of others) assert.equal(row.runs, 0, `${row.org}/${row.name}`);
      }
    });

    test("are drawn bucket by bucket, all of them and each", async () => {
      const asker = askers()[at]!;
      for (const range of ["6h", "24h", "7d"]) {
        const html = await box.page(`/board/background?range=${range}`, asker);
        const status = chartIn(html, "status");
        const good = await perBucket(status, asker, { what: "count(*)", where: GOOD });
        const bad = await perBucket(status, asker, { what: "count(*)", where: RUN });
        assert.deepEqual(known(status.values.get("Succeeded")), good, range);
        assert.deepEqual(known(status.values.get("Failed")), bad, range);
        assert.ok(sum(good) > 5 && sum(bad) > 2, range);
        const label = at === 0 ? "acme / build" : "build";
        const own = `o.name = 'acme' and j.name = 'build'`;
        const rates = chartIn(html, "rates");
        const mine = await perBucket(rates, asker, {
          what: "count(*)",
          where: `${GOOD} and ${own}`,
        });
        assert.deepEqual(known(rates.values.get(label)), mine, range);
        const items = chartIn(html, "items");
        const done = await perBucket(items, asker, {
          what: "sum(coalesce(items_success, 0))",
          where: own,
        });
        assert.deepEqual(known(items.values.get(`${label} done`)), done, range);
        assert.ok(sum(done) > 0, range);
      }
    });

    test("have the run times of all runs, in lines and in bands", async () => {
      const asker = askers()[at]!;
      const html = await box.page("/board/background?range=7d", asker);
      const label = at === 0 ? "acme / test" : "test";
      const chart = chartIn(html, "durations");
      const where = `o.name = 'acme' and j.name = 'test'`;
      for (const [words, share] of [
        ["p95", 0.95],
        ["p50", 0.5],
      ] as const) {
        const what = `percentile_disc(${share}) within group (order by run_ms)`;
        const want = await perBucket(chart, asker, { what, where });
        for (const [bucket, n] of want.entries()) {
          assertNear(
            chart.values.get(`${label} ${words}`)![bucket],
            n || null,
            `${words} ${bucket}`,
          );
        }
      }
      const heat = chartIn(html, "heat");
      const cells = heat.values.values().next().value as unknown as number[][];
      const bands = DURATION_BANDS.map((_, band) =>
        cells.filter((cell) => cell[1] === band).reduce((n, cell) => n + cell[2]!, 0),
      );
      const rows = await box.sql.unsafe(
        `select width_bucket(run_ms, array[${DURATION_BANDS.join()}]::float8[]) as band, count(*)::int as n,
           count(*) filter (where ${DURATION_BANDS.map((edge) => `abs(run_ms / ${edge} - 1) < 0.011`).join(" or ")})::int as near
         from dispatched_job d where d.org_id = any($1) and (${GOOD} or ${RUN})
           and ended_at >= to_timestamp($2 / 1000.0) group by 1`,
        [asker.orgs, heat.start] as never[],
      );
      const near = rows.reduce((n, row) => n + row.near, 0);
      for (const [band, n] of bands.entries()) {
        const wanted = rows.find((row) => row.band === band)?.n ?? 0;
        assert.ok(Math.abs(n - wanted) <= near, `band ${band}: ${n}, not ${wanted}`);
      }
    });

    test("have totals of all names, those too that are counted as others", async () => {
      const asker = askers()[at]!;
      const html = await box.page("/board/background?range=24h", asker);
      const { start, step, values } = chartIn(html, "status");
      const all = await exact(asker, start, start + values.get("Succeeded")!.length * step);
      const [good, bad] = [sum(all.map((one) => one.good)), sum(all.map((one) => one.bad))];
      const [gauge] = await rowsOf(
        "/board/background?range=24h&chart=success-rate&format=json",
        asker,
      );
      assert.deepEqual(gauge, {
        runs: good + bad,
        succeeded: good,
        failed: bad,
        success_rate: good / (good + bad),
      });
      const written = ((good / (good + bad)) * 100).toLocaleString("en-US", {
        maximumFractionDigits: 1,
      });
      assert.equal(figureOf(html, "success-rate"), `${written} %`);
      assert.ok(all.some((one) => !one.counted && one.good > 0));
    });
  });
}

test("a name and an organization narrow every figure, and nobody sees others' names", async () => {
  const html = await box.page("/board/background?range=24h&org=acme&name=build", box.superuser);
  const rows = tableRows(html, "names-table");
  assert.deepEqual(
    rows.map((row) => row[0]),
    ["build"],
  );
  const { start, step, values } = chartIn(html, "status");
  const all = await exact(box.member, start, start + values.get("Succeeded")!.length * step);
  const build = all.find((one) => one.name === "build")!;
  assert.equal(sum(known(values.get("Succeeded"))), build.good);
  const member = await rowsOf("/board/background?range=7d&chart=names&format=json", box.member);
  assert.deepEqual([...new Set(member.map((row) => row.org))], ["acme"]);
  assert.equal((await box.open("/board/background?org=default", box.member)).status, 404);
  assert.equal((await box.open("/board/background?org=system", box.member)).status, 404);
  assert.equal((await box.open("/board/background?refresh=5", box.member)).status, 422);
});
