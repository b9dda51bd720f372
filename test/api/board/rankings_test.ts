/** The day's rankings as JSON against plain SQL over the attempts, for a superuser and for a member. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { V1 } from "../../support/api_box.ts";
import { type Asker, type ChartBox, chartBox } from "../../support/metrics/chart_box.ts";
import { COST, costliest, tellWhere } from "../../support/metrics/costliest.ts";

const DAY = 86_400_000;
const UNITS = {
  ...{ longest: "milliseconds", ram: "mebibytes", cpu: "milliseconds", disk: "bytes" },
  network: "megabits_per_second",
};
let box: ChartBox;
before(async () => {
  box = await chartBox({ n: 500, seed: 31 }, (_, sql) => tellWhere(sql));
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const askers = (): Asker[] => [box.superuser, box.member];
const dayBefore = (day: string) => new Date(Date.parse(day) - DAY).toISOString().slice(0, 10);
const path = (measure: string) =>
  measure === "longest"
    ? `${V1}/board/jobs/expensive?`
    : `${V1}/board/jobs/expensive-by-resource?metric=${measure}&`;

describe("the costliest attempts", () => {
  test("are those of the attempts themselves, by every measure, with all that is told of each", async () => {
    for (const asker of askers()) {
      for (const [measure, unit] of Object.entries(UNITS)) {
        const told = await box.json(path(measure), asker);
        assert.deepEqual([told.metric, told.unit], [measure, unit]);
        const exact = await costliest(box.sql, measure, { ...asker, ...told });
        assert.equal(exact.length, 20);
        assert.deepEqual(told.items, exact, `${measure} for ${asker.who}`);
        const workers = new Set(exact.map(({ worker }) => worker?.name));
        assert.deepEqual(workers, new Set(["eleven", "twelve", undefined]));
      }
      assert.deepEqual(Object.keys(UNITS).sort(), Object.keys(COST).sort());
    }
  });

  test("are of so many days of UTC, or from one to another", async () => {
    for (const asker of askers()) {
      const { to: today, from } = await box.json(path("longest"), asker);
      assert.equal(Date.parse(today) - Date.parse(from), 29 * DAY);
      const yesterday = dayBefore(today);
      const days = {
        [`window_days=1&to=${today}`]: [today, today],
        [`window_days=2&to=${today}`]: [yesterday, today],
        [`from=${yesterday}&to=${yesterday}`]: [yesterday, yesterday],
        [`window_days=2&to=${yesterday}`]: [dayBefore(yesterday), yesterday],
      };
      for (const [words, [first, last]] of Object.entries(days)) {
        const told = await box.json(path("cpu") + words, asker);
        assert.deepEqual([told.from, told.to], [first, last], words);
        const exact = await costliest(box.sql, "cpu", { ...asker, from: first!, to: last! });
        assert.deepEqual(told.items, exact, words);
      }
      const [{ first }] = (await box.sql`
        select to_char(min(ended_at at time zone 'UTC'), 'YYYY-MM-DD') as first from dispatched_job
        where org_id = any(${asker.orgs}) and run_ms > 0`) as unknown as [{ first: string }];
      assert.equal((await box.json(path("ram"), asker)).covered_from, first);
    }
  });

  test("are narrowed to an organization, a queue or a name", async () => {
    const narrow = {
      "org=acme": "o.name = 'acme'",
      "queue=night": "q.name = 'night'",
      "name=test": "n.name = 'test'",
      "org=acme&queue=default": "o.name = 'acme' and q.name = 'default'",
    };
    for (const asker of askers()) {
      for (const [words, where] of Object.entries(narrow)) {
        const told = await box.json(path("disk") + words, asker);
        const exact = await costliest(box.sql, "disk", { ...asker, ...told, where });
        assert.deepEqual(told.items, exact, `${words} for ${asker.who}`);
        assert.ok(exact.length > 10);
      }
    }
  });

  test("are refused of what is hidden, and of what makes no days", async () => {
    const status = async (words: string, asker: Asker, measure = "longest") =>
      (await box.open(path(measure) + words, asker)).status;
    assert.equal(await status("org=default", box.member), 404);
    assert.equal(await status("org=default", box.superuser), 200);
    for (const words of ["org=nowhere", "queue=nowhere", "name=nowhere"])
      assert.equal(await status(words, box.superuser), 404, words);
    const wrong = [
      ...["window_days=0", "window_days=401", "window_days=x", "from=2026-11-02&to=2026-11-01"],
      ...["from=2026-11-01&window_days=3", "from=2020-01-01", "from=yesterday", "limit=3"],
      // Their lists would have to be kept for every pair.
      "queue=night&name=test",
    ];
    for (const words of wrong) assert.equal(await status(words, box.superuser), 422, words);
    assert.equal(await status("", box.superuser, "luck"), 422);
    assert.equal(await status("", box.superuser, "longest"), 200);
  });
});

describe("the busiest organizations", () => {
  test("are told to superusers with what their attempts ran, by whole days", async () => {
    const { status, json } = await box.call("GET", `${V1}/board/expensive/top-orgs?window_days=2`);
    assert.equal(status, 200);
    assert.equal(json.granularity, "day");
    assert.equal(Date.parse(json.to) - Date.parse(json.from), 2 * DAY);
    const exact = await box.sql`
      select o.name as org, sum(run_ms) as run_ms, count(*)::int as attempts
      from dispatched_job d join org o on o.id = d.org_id
      where outcome = 'succeeded' and run_ms is not null and ended_at >= ${json.from} and ended_at < ${json.to}
      group by 1 order by 2 desc`;
    assert.equal(exact.length, 2);
    assert.deepEqual(
      json.items.map(({ org, attempts }: { org: string; attempts: number }) => [org, attempts]),
      exact.map(({ org, attempts }) => [org, attempts]),
    );
    for (const [at, { run_ms: shown }] of json.items.entries())
      assert.ok(Math.abs(shown - exact[at]!.run_ms) < 1e-6 * shown);
    assert.equal(json.others, null);
  });

  test("are nobody else's business", async () => {
    assert.equal((await box.open(`${V1}/board/expensive/top-orgs`, box.member)).status, 403);
  });
});
