import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const FAR = "2999-01-01T00:00:00Z";
const soon = (ms: number) => new Date(Date.now() + ms).toISOString();
const hold = (job: HeldJob) => job.start();

describe("a job with a run_at", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const waits = async (id: string) => (await rig.live(id)).waiting_for as string | null;

  test("never starts before it, however idle the workers", async () => {
    await rig.worker({ concurrency: 10 });
    const run_at = soon(1_200);
    const ids = await rig.submitMany([{ run_at }, { run_at, priority: 100 }, {}]);
    for (const id of ids) await rig.until(id, "succeeded");
    const [attempt] = await rig.attempts(ids[0]!);
    assert.ok(attempt!.dispatched_at >= new Date(run_at), `${attempt!.dispatched_at}`);
    assert.deepEqual(await rig.history(ids[0]!), [
      "queued(run_at)",
      "ready",
      "dispatched",
      "running",
      "succeeded",
    ]);
  });

  test("waits for the later of its dependencies and its time", async () => {
    const worker = await rig.worker({ run: hold });
    const first = await rig.submit();
    const held = await worker.held(first);
    const run_at = soon(700);
    const early = await rig.submit({ run_at, depends_on: [first] });
    const late = await rig.submit({ run_at: FAR, depends_on: [first] });
    // Its time has come, its dependency has not.
    const probe = await rig.submit({ run_at });
    (await worker.held(probe)).succeed();
    assert.equal(await rig.state(early), "queued");
    held.succeed();
    (await worker.held(early)).succeed();
    await rig.until(early, "succeeded");
    assert.deepEqual([await rig.state(late), await waits(late)], ["queued", "run_at"]);
  });

  test("is staged by whichever server is left when its own is gone", async () => {
    const id = await rig.submit({ run_at: soon(1_000) });
    const later = await rig.submit({ run_at: FAR });
    await rig.engines[0]!.stop();
    const next = await rig.addEngine();
    await rig.worker({}, next.engine);
    await rig.until(id, "succeeded");
    assert.equal(await rig.state(later), "queued");
  });

  test("can be cancelled, and retried waits for its time again", async () => {
    await rig.worker();
    const id = await rig.submit({ run_at: FAR });
    assert.deepEqual(await rig.engine.cancelJob(id, "tester"), { ok: true, state: "cancelled" });
    await rig.engine.retryJob(id, "tester");
    assert.deepEqual([await rig.state(id), await waits(id)], ["queued", "run_at"]);
  });

  test("once it ran, backs off by its failures and not by its time", async () => {
    await rig.worker({
      run: (job) => (job.lease.attempt === 1 ? job.start().fail() : hold(job).succeed()),
    });
    const run_at = soon(300);
    const id = await rig.submit({ run_at, max_attempts: 2, backoff: { base_seconds: 0.2 } });
    await rig.until(id, "succeeded");
    const history = await rig.history(id);
    assert.deepEqual(
      history.filter((word) => word.startsWith("queued")),
      ["queued(run_at)", "queued(backoff)"],
    );
  });
});
