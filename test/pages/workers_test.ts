/** Every figure of the page of workers against plain SQL over the same samples and connections. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type FleetBox, fleetBox } from "../support/metrics/fleet_box.ts";
import { chartOf, figureOf, printed, tableRows } from "../support/metrics/printed_charts.ts";

const HOUR = 3_600_000;
const WHO = [0, 1] as const;
let box: FleetBox;
before(async () => {
  box = await fleetBox(3);
  const jobs = Array.from({ length: 4 }, (_, at) => ({
    ...{ name: `job-${at}`, payload: { command: ["true"] } },
  }));
  const { status, json } = await box.call("POST", "/api/v1/orgs/default/jobs/bulk", { jobs });
  assert.equal(status, 201, JSON.stringify(json));
  for (const id of json.ids) await box.reaches(id, "dispatched");
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const ask = async (who: 0 | 1, more = "") => {
  const looker = box.lookers[who]!;
  const response = await looker.get(`/board/workers?${box.query}${more}`);
  return { status: response.status, html: await response.text(), sees: looker.sees };
};
const rows = (text: string) => box.database.reads.unsafe(text);

/** The mean over each hour's looks of how many rows satisfy `condition`. */
async function hourly(condition: string): Promise<(number | null)[]> {
  const found = await rows(`
    with looks as (select at, date_trunc('hour', at, 'UTC') as hour from instance_sample where org_id = 0),
    hours as (select hour, count(*) as n from looks group by 1)
    select extract(epoch from hour)::float8 * 1000 as at,
      (select count(*) from worker_sample s join looks l on l.at = s.at and l.hour = hours.hour
        left join worker w on w.id = s.worker_id where ${condition})::float8 / n as mean
    from hours where hour >= '${box.from.toISOString()}' and hour < '${box.to.toISOString()}'`);
  const means = new Map(found.map((row) => [row.at as number, row.mean as number]));
  return Array.from({ length: 24 }, (_, n) => {
    return printed(means.get(box.from.getTime() + n * HOUR) ?? null);
  });
}

for (const who of WHO) {
  describe(`the page of workers, for ${["a superuser", "a member"][who]}`, () => {
    test("tells who was connected, who drained and what they could, hour by hour", async () => {
      const { html, sees } = await ask(who);
      const own = `s.${sees === "true" ? "worker_id is not null" : sees}`;
      const fleet = chartOf(html, "fleet");
      assert.equal(fleet.start, box.from.getTime());
      assert.deepEqual(fleet.lines.Connected, await hourly(own));
      assert.deepEqual(fleet.lines.Draining, await hourly(`${own} and s.draining`));
      const { lines } = chartOf(html, "capabilities");
      assert.deepEqual(lines.Commands, await hourly(`${own} and s.runs_exec`));
      assert.deepEqual(lines.Handlers, await hourly(`${own} and s.has_handlers`));
    });

    test("tells the same by pool and by system", async () => {
      const { html, sees } = await ask(who);
      const own = `s.${sees === "true" ? "worker_id is not null" : sees}`;
      const pools = chartOf(html, "pools").lines;
      assert.deepEqual(Object.keys(pools).sort(), ["pool-0", "pool-1"]);
      for (const pool of Object.keys(pools))
        assert.deepEqual(pools[pool], await hourly(`${own} and w.pool = '${pool}'`));
      const systems = chartOf(html, "systems").lines;
      assert.deepEqual(Object.keys(systems).sort(), ["aarch64-darwin", "x86_64-linux"]);
      for (const system of Object.keys(systems)) {
        const of = `(select facts->>'system' from worker_connection c where c.worker_id = w.id) = '${system}'`;
        assert.deepEqual(systems[system], await hourly(`${own} and ${of}`));
      }
    });

    test("tells how full each worker's slots were, by name", async () => {
      const { html, sees } = await ask(who);
      const found = await rows(`
        select w.name, sum(s.slots_used)::float8 / sum(s.slots_offered) * 100 as share
        from worker_sample s join worker w on w.id = s.worker_id
        where ${sees === "true" ? "true" : `s.${sees}`} and s.at < '${box.to.toISOString()}' group by 1 order by 2 desc`);
      const bars = chartOf(html, "utilisation");
      assert.deepEqual(
        bars.labels.map((label, at) => [label, bars.lines.Used![at]]),
        found.map((row) => [row.name, printed(row.share)]),
      );
      assert.equal(bars.labels.length, who === 0 ? 9 : 6);
    });

    test("tells how full the slots are now, in a radar and in a table", async () => {
      const { html, sees } = await ask(who);
      const found = await rows(`
        with live as (
          select c.*, w.pool, (select count(*) from live_job j where j.session_id = c.id) as used
          from worker_connection c join worker w on w.id = c.worker_id
          where c.ended_at is null and ${sees === "true" ? "true" : `c.${sees}`})
        select 'system ' || (facts->>'system') as label, count(*)::int as n, sum(used)::int as used,
          sum(concurrency)::int as slots
          from live group by 1
        union all select 'pool ' || pool, count(*), sum(used), sum(concurrency) from live group by 1
        union all select 'commands', count(*), sum(used), sum(concurrency) from live
        union all select 'handlers', count(*), sum(used), sum(concurrency) from live`);
      const wanted = new Map(found.map((row) => [row.label, row]));
      const radar = chartOf(html, "load");
      assert.deepEqual([...radar.labels].sort(), [...wanted.keys()].sort());
      for (const [at, label] of radar.labels.entries()) {
        const { used, slots } = wanted.get(label)!;
        assert.equal(radar.lines.Load![at], printed((used / slots) * 100), label);
      }
      for (const [label = "", workers, slots] of tableRows(html, "load-table")) {
        const { n, used, slots: all } = wanted.get(label)!;
        assert.deepEqual([workers, slots], [String(n), `${used} of ${all}`], label);
      }
    });

    test("lists who is connected, and says how many are hidden", async () => {
      const { html, sees } = await ask(who);
      const found = await rows(`
        select w.name, coalesce(o.name, 'shared') as org, w.pool, c.facts->>'system' as system, c.concurrency,
          (select count(*)::int from live_job j where j.session_id = c.id) as used,
          (c.metrics->>'cpu_pct')::float8 as cpu
        from worker_connection c join worker w on w.id = c.worker_id left join org o on o.id = c.org_id
        where c.ended_at is null and ${sees === "true" ? "true" : `c.${sees}`} order by 1`);
      const listed = tableRows(html, "live-workers");
      assert.deepEqual(
        listed.map((row) => row.slice(0, 7)),
        found.map((row) => [
          ...[row.name, row.org, row.pool, row.system, "ready"],
          ...[`${row.used} / ${row.concurrency}`, `${row.cpu} %`],
        ]),
      );
      assert.deepEqual(listed[0]!.slice(7, 10), ["2 GiB of 8 GiB", "5", "–"]);
      const sum = (key: string) => found.reduce((total, row) => total + row[key], 0);
      assert.equal(figureOf(html, "workers"), String(found.length));
      assert.equal(figureOf(html, "slots"), String(sum("used")));
      assert.equal(html.includes("You see 6 of 9 connected workers: 3 of other"), who === 1);
      assert.equal(html.includes("foreign-"), who === 0);
    });
  });
}

test("of one organization are its own workers, and a hidden one is not there", async () => {
  const { html } = await ask(0, "&org=acme");
  assert.deepEqual(
    tableRows(html, "live-workers").map(([name]) => name),
    ["foreign-0", "foreign-1", "foreign-2"],
  );
  const acme = box.directory.byName("acme")!.id;
  const { lines } = chartOf(html, "fleet");
  assert.deepEqual(lines.Connected, await hourly(`s.org_id = ${acme}`));
  const [hidden, none] = [await ask(1, "&org=acme"), await ask(1, "&org=nobody")];
  assert.deepEqual([hidden.status, none.status], [404, 404]);
});
