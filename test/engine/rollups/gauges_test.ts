/** What was looked at, minute by minute, against the samples themselves. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bucketStart } from "../../../src/core/metrics/buckets.ts";
import { SHARED_FLEET } from "../../../src/core/metrics/catalogue.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";

let rig: Rig;
const now = Date.now();
const minute = bucketStart("minute", now) - 60_000;

/** `[worker, organization or null, offered, used, draining, cpu or null]` */
type Seen = [number, number | null, number, number, boolean, number | null];

async function look(second: number, seen: Seen[], work: [number, number, number, number][]) {
  const at = new Date(minute + second * 1_000);
  for (const [worker_id, org_id, slots_offered, slots_used, draining, cpu_pct] of seen) {
    const row = { at, worker_id, org_id, slots_offered, slots_used, draining, cpu_pct };
    await rig.sql`insert into worker_sample ${rig.sql({ ...row, runs_exec: true, has_handlers: false })}`;
  }
  for (const [org_id, pending, active, slots_entitled] of work) {
    const row = { at, org_id, pending, active, slots_entitled };
    await rig.sql`insert into instance_sample ${rig.sql(row)}`;
  }
}

async function stored(metric: string, group: { org?: number; worker?: number } = {}) {
  const { org = 0, worker = 0 } = group;
  const [row] = await rig.sql`
    select count::int, sum, min, max from metric_rollup where granularity = 'minute' and metric = ${metric}
      and org_id = ${org} and worker_id = ${worker} and bucket_start = ${new Date(minute)}`;
  return row && [row.count, row.sum, row.min, row.max];
}

describe("gauges of a minute", () => {
  before(async () => {
    rig = await Rig.bare({ rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 });
    await look(
      0,
      [
        [1, 5, 4, 2, false, 50],
        [2, null, 8, 8, false, null],
      ],
      [
        [0, 9, 10, 10],
        [5, 9, 10, 10],
      ],
    );
    await look(
      15,
      [
        [1, 5, 4, 4, true, 70],
        [2, null, 8, 0, false, null],
      ],
      [
        [0, 0, 4, 4],
        [5, 0, 4, 4],
      ],
    );
    await look(30, [[2, null, 8, 1, false, 20]], [[0, 3, 1, 1]]);
    await look(45, [], [[0, 0, 0, 0]]);
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
  });
  after(() => rig.stop({ oracles: false }));

  test("count every look, those too at which nothing was there", async () => {
    assert.deepEqual(await stored("workers.connected"), [4, 5, 0, 2]);
    assert.deepEqual(await stored("workers.draining"), [4, 1, 0, 1]);
    assert.deepEqual(await stored("slots.offered"), [4, 32, 0, 12]);
    assert.deepEqual(await stored("slots.used"), [4, 15, 0, 10]);
    assert.deepEqual(await stored("jobs.pending"), [4, 12, 0, 9]);
  });

  test("of an organization are those of its own workers and its own work", async () => {
    assert.deepEqual(await stored("workers.connected", { org: 5 }), [4, 2, 0, 1]);
    assert.deepEqual(await stored("slots.used", { org: 5 }), [4, 6, 0, 4]);
    assert.deepEqual(await stored("jobs.active", { org: 5 }), [4, 14, 0, 10]);
    assert.deepEqual(await stored("slots.entitled", { org: 5 }), [4, 14, 0, 10]);
  });

  test("of the workers that all share stand by themselves", async () => {
    assert.deepEqual(await stored("workers.connected", { org: SHARED_FLEET }), [4, 3, 0, 1]);
    assert.deepEqual(await stored("slots.offered", { org: SHARED_FLEET }), [4, 24, 0, 8]);
  });

  test("of a worker count only while it was there, and what its host told", async () => {
    assert.deepEqual(await stored("slots.used", { worker: 1 }), [2, 6, 2, 4]);
    assert.deepEqual(await stored("worker.cpu_pct", { worker: 1 }), [2, 120, 50, 70]);
    assert.deepEqual(await stored("worker.cpu_pct", { worker: 2 }), [1, 20, 20, 20]);
    assert.deepEqual(await stored("worker.cpu_pct", {}), [3, 140, 20, 70], "of all, the mean");
  });

  test("are nothing, not zero, in a minute in which nobody looked", async () => {
    const rows = await rig.sql`
      select 1 from metric_rollup where granularity = 'minute' and bucket_start < ${new Date(minute)}`;
    assert.equal(rows.length, 0);
  });
});

describe("a look", () => {
  before(async () => {
    rig = await Rig.start({ rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 });
  });
  after(() => rig.stop());

  test("tells of connected workers and of the work there is, once a moment", async () => {
    const worker = await rig.worker({ concurrency: 3, run: () => {} });
    const [job] = await rig.submitMany([{}, {}, {}, {}]);
    await rig.until(job!, "dispatched", "running");
    await rig.engine.sample(Date.now());
    const moment = Date.now();
    await rig.engine.sample(moment);
    await rig.engine.sample(moment);
    const [seen] = await rig.sql`select * from worker_sample order by at desc limit 1`;
    assert.deepEqual([seen!.slots_offered, seen!.slots_used, seen!.draining], [3, 3, false]);
    const rows = await rig.sql`
      select org_id, pending, active from instance_sample
      where at = ${new Date(moment)} and name_id = 0 order by org_id`;
    assert.deepEqual(
      rows.map((row) => [row.pending, row.active].map(Number)),
      [
        [1, 3],
        [1, 3],
      ],
    );
    worker.drop();
  });

  test("that comes too late is not written: its minute is over", async () => {
    const [before] = await rig.sql`select count(*) as n from instance_sample`;
    await rig.engine.sample(Date.now() - 120_000);
    const [after] = await rig.sql`select count(*) as n from instance_sample`;
    assert.equal(Number(after!.n), Number(before!.n));
  });
});
