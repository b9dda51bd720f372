/** Every figure of one worker's page, and of its answer in the API, against plain SQL. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type FleetBox, fleetBox } from "../support/metrics/fleet_box.ts";
import { chartOf, figureOf, printed, tableRows } from "../support/metrics/printed_charts.ts";

const HOUR = 3_600_000;
const V1 = "/api/v1";
let box: FleetBox;
before(async () => {
  box = await fleetBox();
  const job = { name: "x", payload: { command: ["true"] } };
  const { json } = await box.call("POST", `${V1}/orgs/default/jobs/bulk`, {
    jobs: [job, job, job],
  });
  for (const id of json.ids) await box.reaches(id, "dispatched");
  await box.engine.rollups.pass();
  await box.database.intake`
    insert into worker_connection (worker_id, org_id, replica_id, connected_at, dropped_at, ended_at,
      end_reason, lease_until, concurrency, facts)
    select worker_id, org_id, replica_id, t, t + interval '90 seconds', t + interval '2 minutes',
      'lapsed', t, concurrency, facts
    from worker_connection cross join generate_series(now() - interval '9 hours', now() - interval '1 hour',
      interval '5 minutes') t where worker_id = ${await idOf(0)}`;
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const uid = (at: 0 | 1, kind: "own" | "foreign" | "shared" = "own") => box.fleet[kind][at]!.id;
const rows = (text: string) => box.database.reads.unsafe(text);
async function idOf(at: 0 | 1): Promise<number> {
  const [row] = await rows(`select id from worker where uid = '${uid(at)}'`);
  return row!.id as number;
}

interface Hour {
  mean: number | null;
  least: number | null;
  most: number | null;
}

async function hourly(column: string): Promise<Hour[]> {
  const found = await rows(`
    select extract(epoch from date_trunc('hour', at, 'UTC'))::float8 * 1000 as at,
      avg(${column}::float8) as mean, min(${column})::float8 as least, max(${column})::float8 as most
    from worker_sample where worker_id = ${await idOf(0)} and ${column} is not null group by 1`);
  const hours = new Map(found.map((row) => [row.at as number, row as unknown as Hour]));
  return Array.from({ length: 24 }, (_, n) => {
    return hours.get(box.from.getTime() + n * HOUR) ?? { mean: null, least: null, most: null };
  });
}

const DRAWN = [
  ["cpu", "cpu_pct", "cpu_pct", "percent"],
  ["ram", "ram_free_mb", "ram_free_mb", "mebibytes"],
  ["disk", "disk_mbps", "disk_mbps", "megabytes_per_second"],
  ["network", "network_mbps", "network_mbps", "megabits_per_second"],
] as const;

/** Sums of floats come out in another order. */
function near(
  actual: readonly (number | null)[],
  wanted: readonly (number | null)[],
  what: string,
) {
  assert.equal(actual.length, wanted.length, what);
  for (const [at, value] of wanted.entries()) {
    if (value === null) assert.equal(actual[at], null, `${what} ${at}`);
    else assert.ok(Math.abs(actual[at]! - value) <= Math.abs(value) * 1e-3, `${what} ${at}`);
  }
}

describe("the page of one worker", () => {
  test("draws its host and its slots hour by hour, in the units that they have", async () => {
    for (const { get, who } of box.lookers) {
      const html = await (await get(`/board/workers/${uid(0)}?${box.query}`)).text();
      for (const [id, column, , unit] of DRAWN) {
        const { lines, unit: drawn } = chartOf(html, id);
        const wanted = await hourly(column);
        assert.equal(drawn, unit);
        near(
          lines.Mean!,
          wanted.map((hour) => hour.mean),
          `${who} ${id}`,
        );
        const [second, pick] =
          id === "ram" ? ["Least", "least" as const] : ["Peak", "most" as const];
        near(
          lines[second]!,
          wanted.map((hour) => printed(hour[pick])),
          `${who} ${id} ${second}`,
        );
      }
      const slots = chartOf(html, "slots").lines;
      near(
        slots.Used!,
        (await hourly("slots_used")).map((hour) => hour.mean),
        "used",
      );
      near(
        slots.Offered!,
        (await hourly("slots_offered")).map((hour) => hour.mean),
        "offered",
      );
    }
  });

  test("counts what was dispatched to it, but of a shared one only for superusers", async () => {
    const [counted] = await rows(`
      select count(*)::int as n from phase_event where state = 'dispatched' and worker_id = ${await idOf(0)}`);
    for (const { get, sees } of box.lookers) {
      const html = await (await get(`/board/workers/${uid(0)}`)).text();
      assert.equal(figureOf(html, "dispatched"), String(counted!.n));
      const shared = await (await get(`/board/workers/${uid(0, "shared")}`)).text();
      assert.equal(figureOf(shared, "dispatched") === "not told", sees !== "true");
    }
  });

  test("says how it is now, and how many of its slots are in use", async () => {
    const [exact] = await rows(`
      select c.concurrency as slots, to_char(c.connected_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since,
        (select count(*)::int from live_job j where j.session_id = c.id) as used
      from worker_connection c where c.worker_id = ${await idOf(0)} and c.ended_at is null`);
    for (const { get, who } of box.lookers) {
      const html = await (await get(`/board/workers/${uid(0)}`)).text();
      assert.equal(figureOf(html, "state"), "ready", who);
      assert.ok(html.includes(`<small>since ${exact!.since} UTC</small>`));
      assert.equal(figureOf(html, "slots"), String(exact!.used));
      assert.ok(html.includes(`<small>of ${exact!.slots} slots</small>`));
    }
  });

  test("lists when it was connected, page after page, the newest first", async () => {
    const wanted = await rows(`
      select to_char(connected_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC' as at, end_reason
      from worker_connection where worker_id = ${await idOf(0)} order by connected_at desc, id desc`);
    const listed: string[][] = [];
    let path: string | undefined = `/board/workers/${uid(0)}`;
    let pages = 0;
    while (path !== undefined) {
      const html = await (await box.member.get(path)).text();
      listed.push(...tableRows(html, "connections"));
      path = /href="([^"]*)">Older</.exec(html)?.[1]?.replaceAll("&amp;", "&");
      pages += 1;
    }
    assert.equal(pages, 2);
    assert.deepEqual(
      listed.map(([at]) => at),
      wanted.map((row) => row.at),
    );
    assert.deepEqual([listed[0]![1], listed[0]![4]], ["–", "connected"]);
    assert.deepEqual(listed[1]!.slice(2), ["1 m 30 s", "2", "its lease ran out"]);
  });

  test("is not there for who may not see the worker", async () => {
    const ids = [uid(0, "foreign"), crypto.randomUUID(), "nonsense", "%00"];
    for (const id of ids) {
      const { status } = await box.member.get(`/board/workers/${id}`);
      assert.equal(status, 404, id);
    }
    assert.equal((await box.get(`/board/workers/${uid(0, "foreign")}`)).status, 200);
  });

  test("is reached from the organization's page", async () => {
    const html = await (await box.get("/board/orgs/default")).text();
    assert.ok(html.includes(`href="/board/workers/${uid(0)}"`));
  });
});

describe("the metrics of one worker in the API", () => {
  const path = (id: string, query = "", org = "default") =>
    `${V1}/orgs/${org}/workers/${id}/metrics?${query}`;

  test("tell what the samples say, and what of it is covered", async () => {
    const { json } = await box.call("GET", path(uid(0), box.query));
    assert.deepEqual([json.granularity, json.covered_from], ["hour", box.from.toISOString()]);
    assert.equal(json.worker.name, "own-0");
    for (const [, column, name] of DRAWN) {
      const wanted = await hourly(column);
      const points = json.series[name] as { avg: number; min: number; max: number }[];
      near(
        points.map((one) => one.avg),
        wanted.map((hour) => hour.mean),
        name,
      );
      near(
        points.map((one) => one.min),
        wanted.map((hour) => hour.least),
        name,
      );
      near(
        points.map((one) => one.max),
        wanted.map((hour) => hour.most),
        name,
      );
    }
    const [{ n } = { n: 0 }] = await rows(
      `select count(*)::int as n from worker_connection where worker_id = ${await idOf(0)}`,
    );
    assert.equal(json.connections.length, Math.min(100, n));
    const { disconnected_at, duration_seconds, reason } = json.connections[1];
    assert.deepEqual([duration_seconds, reason], [90, "lapsed"]);
    assert.ok(Date.parse(disconnected_at) < Date.parse(json.connections[0].connected_at));
  });

  test("are never more than 750 points a series, whatever the span", async () => {
    const to = Date.parse("2026-11-22T10:30:00Z");
    for (const hours of [0.1, 6.6, 6.7, 24, 743.9, 744, 744.1, 9_000]) {
      const from = new Date(to - hours * HOUR).toISOString();
      const query = `from=${from}&to=${new Date(to).toISOString()}`;
      const { json, status } = await box.call("GET", path(uid(0), query));
      assert.equal(status, 200);
      assert.ok(json.series.cpu_pct.length <= 750, `${hours} hours: ${json.series.cpu_pct.length}`);
    }
    const long = "from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z";
    assert.equal((await box.call("GET", path(uid(0), long))).status, 422);
  });

  test("are not there of a worker that may not work for the organization", async () => {
    for (const id of [uid(0, "foreign"), crypto.randomUUID()])
      assert.equal((await box.call("GET", path(id))).status, 404);
    assert.equal((await box.call("GET", path(uid(0, "shared")))).status, 200);
    assert.equal((await box.call("GET", path(uid(0), "", "nobody"))).status, 404);
  });
});
