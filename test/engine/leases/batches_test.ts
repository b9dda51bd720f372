import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FIRST_BATCH, tidyBatches } from "../../../src/db/statements/lease_batches.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import type { HeldJob } from "../../support/inline_worker.ts";

const hold = (job: HeldJob) => job.start();
const many = (n: number) => Array.from({ length: n }, () => ({}));

describe("lease batches", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const batches = () => rig.sql`select session_id, jobs, attempts from lease_batch`;
  const leased = async () => (await rig.sql`select id from leased_job`).map((r) => r.id as string);
  const noneLeft = () =>
    eventually(async () => (await batches()).length === 0, "no batch is left", {
      deadlineMs: 15_000,
    });

  test("show what a session holds while it holds it, and go with their last job", async () => {
    const worker = await rig.worker({ concurrency: 10, run: hold });
    const ids = await rig.submitMany(many(10));
    for (const id of ids) await worker.held(id);
    assert.deepEqual((await leased()).sort(), [...ids].sort());
    for (const id of ids.slice(1)) (await worker.held(id)).succeed();
    await eventually(async () => (await leased()).length === 1, "one is left");
    assert.deepEqual(await leased(), [ids[0]]);
    (await worker.held(ids[0]!)).succeed();
    await noneLeft();
  });

  test("follow a worker that comes back with its jobs", async () => {
    const worker = await rig.worker({ concurrency: 5, run: hold });
    const ids = await rig.submitMany(many(5));
    for (const id of ids) await worker.held(id);
    worker.drop();
    await worker.connect();
    assert.deepEqual((await leased()).sort(), [...ids].sort());
    const holders = await rig.sql`select distinct holder from leased_job`;
    assert.deepEqual(
      holders.map((r) => r.holder),
      [worker.sessionId],
    );
    for (const id of ids) (await worker.held(id)).succeed();
    // Nobody counts a resumed batch: the look at what others left finds it.
    await noneLeft();
  });

  test("of a job that failed and runs again show the attempt that lives, once", async () => {
    const worker = await rig.worker({ concurrency: 2, run: hold });
    const [id, other] = await rig.submitMany([
      { max_attempts: 2, backoff: { base_seconds: 0, factor: 1, max_seconds: 0 } },
      {},
    ]);
    await worker.held(other!);
    (await worker.held(id!)).fail();
    await eventually(async () => (await rig.live(id!)).attempt === 2, "it runs again");
    assert.deepEqual((await leased()).sort(), [id!, other!].sort());
    (await worker.held(id!)).succeed();
    (await worker.held(other!)).succeed();
  });

  test("that nobody counts are removed where dead, shortened where half dead, else left alone", async () => {
    const worker = await rig.worker({ concurrency: 4, run: hold });
    const ids = await rig.submitMany(many(4));
    for (const id of ids) await worker.held(id);
    await rig.sql`delete from lease_batch`;
    const session = worker.sessionId!;
    const add = async (jobs: string[], attempt = 1) => {
      await rig.sql`insert into lease_batch (beat, session_id, jobs, attempts)
        values (${randomUUID()}, ${session}, ${jobs}, ${jobs.map(() => attempt)})`;
    };
    const gone = () => randomUUID();
    await add([gone(), gone()]);
    await add([ids[0]!], 7);
    await add([gone(), ids[0]!, gone(), gone()]);
    await add([ids[1]!, ids[2]!, ids[3]!, gone()]);
    let after = FIRST_BATCH;
    for (let looked = 0; looked < 5; looked++) {
      const { last } = await tidyBatches(rig.sql as never, after, 1);
      after = last ?? FIRST_BATCH;
    }
    const left = (await batches()).map((b) => (b.jobs as string[]).length).sort();
    assert.deepEqual(left, [1, 4]);
    assert.deepEqual((await leased()).sort(), [...ids].sort());
    for (const id of ids) (await worker.held(id)).succeed();
  });
});
