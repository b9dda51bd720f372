/** Metrics over time, asked as a user would, against counts of the rows themselves. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiBox, apiBox, V1 } from "../support/api_box.ts";
import { computed } from "../support/metrics/computed.ts";
import { exactRollups, happenings } from "../support/metrics/exact_rollups.ts";
import { makePlaces, writeHistory } from "../support/metrics/raw_history.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = Date.now();
let box: ApiBox;

async function ask(query: Record<string, string>, headers?: HeadersInit) {
  return await box.call(
    "GET",
    `${V1}/metrics/query?${new URLSearchParams(query)}`,
    undefined,
    headers,
  );
}

interface Point {
  bucket_start: string;
  group?: string | null;
  count: number | null;
  complete: boolean;
}

const total = (points: Point[]) => points.reduce((sum, point) => sum + (point.count ?? 0), 0);

before(async () => {
  box = await apiBox({ rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 });
  const sql = box.database.reads as never;
  const places = await makePlaces(sql);
  await writeHistory(sql, places, { n: 300, from: now - 2 * DAY, to: now - HOUR, seed: 5 });
  await computed(box.engine.rollups, sql);
  await box.directory.refresh();
});
after(() => box.close());

const twoDays = { from: new Date(now - 3 * DAY).toISOString(), to: new Date(now).toISOString() };

describe("the catalogue", () => {
  test("says what each metric means, by what it can be asked, and how exact percentiles are", async () => {
    const { json } = await box.call("GET", `${V1}/metrics/catalog`);
    const metric = json.items.find((one: { key: string }) => one.key === "dispatch.wait_ms");
    assert.equal(metric.unit, "milliseconds");
    assert.deepEqual(metric.dimensions[3], ["org", "name"]);
    assert.equal(json.percentile_error, 0.01);
  });
});

describe("a metric over time", () => {
  test("has a point for every bucket, tells zero from unknown, and marks what still runs", async () => {
    const { json } = await ask({ metric: "jobs.created", granularity: "hour", ...twoDays });
    assert.equal(json.points.length, 73);
    const [first] = json.points;
    assert.deepEqual([first.count, first.sum, first.avg], [null, null, null]);
    assert.equal(total(json.points), 300);
    assert.deepEqual([json.points.at(-1).complete, json.points.at(-3).complete], [false, true]);
    const quiet = json.points.filter((point: Point) => point.count === 0);
    assert.ok(quiet.length > 0, "hours in which nothing happened");
  });

  test("is the same at every granularity, by every dimension, as the rows say", async () => {
    const exact = exactRollups(await happenings(box.database.reads as never));
    for (const granularity of ["hour", "day", "week"]) {
      for (const metric of [
        "jobs.created",
        "jobs.succeeded",
        "dispatch.wait_ms",
        "usage.peak_ram_mb",
      ]) {
        const { json } = await ask({ metric, granularity, ...twoDays });
        for (const point of json.points) {
          const wanted = exact.get(`${granularity} ${metric} 0/0/0/0 ${point.bucket_start}`);
          assert.equal(point.count ?? 0, wanted?.count ?? 0, `${granularity} ${metric}`);
          if (wanted) assert.equal(point.max, wanted.max);
        }
      }
    }
    const all = await ask({ metric: "jobs.created", granularity: "day", ...twoDays });
    for (const by of ["org", "queue", "name"]) {
      const split = await ask({
        metric: "jobs.created",
        granularity: "day",
        group_by: by,
        ...twoDays,
      });
      assert.equal(total(split.json.points), total(all.json.points), by);
    }
    const acme = await ask({ metric: "jobs.created", granularity: "day", org: "acme", ...twoDays });
    const ofAcme = [...exact].filter(([key]) => /^day jobs.created 3\/0\/0\/0/.test(key));
    const wanted = ofAcme.reduce((sum, [, one]) => sum + one.count, 0);
    assert.ok(wanted > 0);
    assert.equal(total(acme.json.points), wanted);
  });

  test("tells strangers what a public organization's names add up to, and no name", async () => {
    const sql = box.database.reads as never as import("postgres").Sql;
    await sql`update org set is_public = true where name = 'acme'`;
    await box.directory.refresh();
    const query = { metric: "jobs.created", granularity: "day", org: "acme", ...twoDays };
    for (const by of ["queue", "name"]) {
      const known = await ask({ ...query, group_by: by });
      assert.ok(
        known.json.points.some((one: Point) => typeof one.group === "string"),
        by,
      );
      const asked = new URLSearchParams({ ...query, group_by: by });
      const told = await box.fetch(new Request(`http://box${V1}/metrics/query?${asked}`));
      assert.equal(told.status, 200);
      const { points } = (await told.json()) as { points: Point[] };
      assert.ok(
        points.every((one: Point) => one.group === null),
        by,
      );
      assert.equal(total(points), total(known.json.points), by);
    }
    await sql`update org set is_public = false where name = 'acme'`;
    await box.directory.refresh();
  });

  test("gives percentiles within a hundredth of the exact ones", async () => {
    const week = { metric: "jobs.duration_ms", granularity: "week" };
    const { json } = await ask({ ...week, from: new Date(now - 21 * DAY).toISOString() });
    const full = json.points.filter((point: Point) => (point.count ?? 0) > 0);
    assert.ok(full.length > 0);
    for (const point of full) {
      const start = new Date(point.bucket_start);
      const rows = await box.database.reads`
        select run_ms from dispatched_job where outcome = 'succeeded'
          and ended_at >= ${start} and ended_at < ${new Date(start.getTime() + 7 * DAY)} order by run_ms`;
      const values = rows.map((row) => row.run_ms as number);
      assert.equal(point.count, values.length);
      for (const [share, key] of [
        [0.5, "p50"],
        [0.95, "p95"],
        [0.99, "p99"],
      ] as const) {
        const exact = values[Math.ceil(share * values.length) - 1]!;
        const error = Math.abs(point[key] - exact);
        assert.ok(error <= Math.max(0.11, exact * 0.0101), `${key}: ${point[key]}, not ${exact}`);
      }
    }
  });

  test("that nobody keeps that way is refused with what is kept", async () => {
    const both = await ask({
      metric: "jobs.created",
      org: "default",
      queue: "default",
      name: "build",
    });
    assert.equal(both.status, 422);
    assert.match(
      both.json.detail,
      /is not kept by org with queue with name: it is kept by none; org/,
    );
    const worker = await ask({ metric: "worker.cpu_pct", org: "default" });
    assert.match(worker.json.detail, /it is kept by none; worker/);
    assert.equal((await ask({ metric: "worker.cpu_pct" })).status, 200);
    const rare = await ask({ metric: "jobs.created", name: "rare" });
    assert.match(rare.json.detail, /beyond the first 200 names/);
  });

  test("that is not there, of nobody, or of too many buckets says so", async () => {
    assert.equal((await ask({ metric: "jobs.colour" })).status, 404);
    assert.equal((await ask({ metric: "jobs.created", org: "nowhere" })).status, 404);
    assert.equal((await ask({ metric: "jobs.created", queue: "nowhere" })).status, 404);
    const years = { from: "2020-01-01T00:00:00Z", to: twoDays.to };
    const much = await ask({ metric: "jobs.created", granularity: "minute", ...years });
    assert.equal(much.status, 422);
    assert.match(much.json.detail, /more than 5000/);
    const back = await ask({ metric: "jobs.created", from: twoDays.to, to: twoDays.from });
    assert.match(back.json.detail, /before `to`/);
  });
});
