/** Items that workers count: totals of the attempt so far, kept however it ends. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const TOLD = { success: 7, failed: 2, skipped: 1 };

describe("items", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start({ leaseSeconds: 2, graceSeconds: 1 });
  });
  afterEach(() => rig.stop());

  const holding = () => rig.worker({ concurrency: 10, run: (job: HeldJob) => job.start() });
  const counted = (row: Record<string, unknown>) => [
    row.items_success,
    row.items_failed,
    row.items_skipped,
  ];
  const noted = (id: string) =>
    eventually(async () => counted(await rig.live(id))[0] === TOLD.success, "items are noted");

  test("stand on the job while it runs, the newest totals", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    held.progress(undefined, undefined, { success: 1, failed: 0, skipped: 0 });
    held.progress(0.5, "half", TOLD);
    held.progress(0.6, "more");
    await noted(id);
    assert.deepEqual(counted(await rig.live(id)), [7, 2, 1]);
    held.succeed();
    await rig.end(id);
    assert.deepEqual(counted((await rig.attempts(id))[0]!), [7, 2, 1]);
  });

  test("of the last report are what counts, and a failure keeps them", async () => {
    const worker = await holding();
    const [one, two] = await rig.submitMany([{}, {}]);
    const held = [await worker.held(one!), await worker.held(two!)];
    for (const job of held) job.progress(undefined, undefined, TOLD);
    held[0]!.fail("broken");
    held[1]!.fail("broken", { items: { success: 8, failed: 3, skipped: 1 } });
    for (const id of [one!, two!]) await rig.end(id);
    assert.deepEqual(counted((await rig.attempts(one!))[0]!), [7, 2, 1]);
    assert.deepEqual(counted((await rig.attempts(two!))[0]!), [8, 3, 1]);
  });

  test("of an attempt that is lost are kept, and the next begins anew", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    held.progress(undefined, undefined, TOLD);
    await noted(id);
    worker.crash();
    await rig.until(id, "ready");
    const [lost] = await rig.attempts(id);
    assert.deepEqual([lost!.outcome, ...counted(lost!)], ["lost", 7, 2, 1]);
    assert.deepEqual(counted(await rig.live(id)), [null, null, null]);
    const next = await holding();
    (await next.held(id)).succeed();
    await rig.end(id);
    assert.deepEqual(counted((await rig.attempts(id))[1]!), [null, null, null]);
  });

  test("are still known after the worker has come back to another server", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    held.progress(undefined, undefined, TOLD);
    await noted(id);
    worker.drop();
    await worker.connect();
    held.fail("broken");
    await rig.end(id);
    assert.deepEqual(counted((await rig.attempts(id))[0]!), [7, 2, 1]);
  });
});
