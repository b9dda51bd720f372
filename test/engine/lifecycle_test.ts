import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";

describe("a job's life", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  test("a job without a worker stands ready, and starts when one comes", async () => {
    const id = await rig.submit();
    assert.equal(await rig.state(id), "ready");
    const worker = await rig.worker();
    await rig.until(id, "succeeded");
    assert.deepEqual(await rig.history(id), [
      "queued",
      "ready",
      "dispatched",
      "running",
      "succeeded",
    ]);
    assert.deepEqual(await worker.recordOf(id).then((r) => r.accepted), true);
  });

  test("its end keeps what the worker said of it", async () => {
    const worker = await rig.worker({
      run: (job) =>
        job.start().succeed(
          { answer: [42, "ü", null] },
          {
            exit_code: 0,
            run_ms: 12.5,
            log_bytes: 77,
            usage: { peak_ram_mb: 3, cpu_ms: 9, source: { ram: "proc" } },
            items: { success: 5, failed: 1, skipped: 2 },
          },
        ),
    });
    const id = await rig.submit({ payload: { x: '"quoted" \\ {braces}, NULL' } });
    const end = await rig.end(id);
    assert.deepEqual(end.result, { answer: [42, "ü", null] });
    assert.equal(end.state, "succeeded");
    assert.deepEqual(worker.assigned[0]!.assignment.payload, { x: '"quoted" \\ {braces}, NULL' });
    const [attempt] = await rig.attempts(id);
    assert.equal(attempt!.run_ms, 12.5);
    assert.equal(attempt!.peak_ram_mb, 3);
    assert.deepEqual(attempt!.usage_source, { ram: "proc" });
    assert.deepEqual(
      [attempt!.items_success, attempt!.items_failed, attempt!.items_skipped, attempt!.log_bytes],
      [5, 1, 2, 77],
    );
    assert.equal(attempt!.ended_at.getTime(), end.finished_at.getTime());
  });

  test("a start and an end that arrive together are both in its history, with their times", async () => {
    await rig.worker({
      run: (job) => job.start().end({ outcome: "failed", error: "no time known" }),
    });
    const id = await rig.submit();
    await rig.until(id, "failed");
    const [attempt] = await rig.attempts(id);
    assert.ok(attempt!.started_at, "the start was reported and is kept");
    assert.deepEqual((await rig.history(id)).slice(-2), ["running", "failed"]);
  });

  test("an end without a start is told with the run that the worker measured", async () => {
    await rig.worker({ run: (job) => job.succeed(undefined, { run_ms: 40 }) });
    const id = await rig.submit();
    await rig.until(id, "succeeded");
    assert.deepEqual((await rig.history(id)).slice(-3), ["dispatched", "running", "succeeded"]);
  });

  test("an attempt that never started has no start", async () => {
    await rig.worker({ run: (job) => job.end({ outcome: "failed", error: "no such program" }) });
    const id = await rig.submit();
    await rig.until(id, "failed");
    const [attempt] = await rig.attempts(id);
    assert.equal(attempt!.started_at, null);
    assert.deepEqual((await rig.history(id)).slice(-2), ["dispatched", "failed"]);
  });

  test("progress and its note are seen while it runs, and leave with the attempt", async () => {
    const worker = await rig.worker({ run: (job) => job.start() });
    const id = await rig.submit({ max_attempts: 2, backoff: { base_seconds: 60 } });
    const held = await worker.held(id);
    held.progress(0.25, 'a "quarter"');
    await eventually(async () => (await rig.live(id)).progress === 0.25, "progress is written");
    held.progress(undefined, "more");
    await eventually(async () => (await rig.live(id)).progress_note === "more", "the note too");
    assert.equal((await rig.live(id)).progress, 0.25);
    held.fail();
    await rig.until(id, "queued");
    assert.equal((await rig.live(id)).progress, null);
  });

  test("the deadline of a job with a timeout is stored when it starts", async () => {
    const worker = await rig.worker({ run: (job) => job.start() });
    const id = await rig.submit({ timeout_seconds: 30 * 86_400 });
    await rig.until(id, "running");
    const row = await rig.live(id);
    assert.equal(row.deadline_at - row.started_at, 30 * 86_400_000);
    assert.equal((await worker.held(id)).assignment.timeout_seconds, 30 * 86_400);
    (await worker.held(id)).end({ outcome: "timed_out", run_ms: 5 });
    const end = await rig.end(id);
    assert.equal(end.state, "failed");
    assert.equal(end.reason, "timed_out");
  });

  test("a report with a wrong token, attempt or job is refused and changes nothing", async () => {
    const worker = await rig.worker({ run: (job) => job.start() });
    const id = await rig.submit();
    const held = await worker.held(id);
    const { token } = held.lease;
    const other = "00000000-0000-4000-8000-000000000000";
    for (const [job, attempt, key] of [
      [id, 1, other],
      [id, 2, token],
      [other, 1, token],
    ] as const) {
      worker.say({
        type: "finished",
        jobs: [{ job, attempt, token: key, outcome: "succeeded", run_ms: 1 }],
      });
    }
    await eventually(() => worker.recorded.length === 3, "three answers");
    assert.deepEqual(
      worker.recorded.map((r) => [r.accepted, r.reason]),
      Array(3).fill([false, "lease_lost"]),
    );
    await eventually(async () => (await rig.state(id)) === "running", "it runs on");
    held.succeed();
    await rig.until(id, "succeeded");
  });

  test("an end reported three times counts once, and each report is accepted", async () => {
    const worker = await rig.worker({ run: (job) => job.start() });
    const id = await rig.submit();
    const { lease } = await worker.held(id);
    const report = { ...lease, outcome: "succeeded" as const, run_ms: 1 };
    worker.finishAll([report, report]);
    await worker.recordOf(id);
    worker.finishAll([report]);
    const again = await worker.recordOf(id, 2);
    assert.deepEqual([again.accepted, again.reason], [true, "repeated"]);
    assert.equal((await rig.attempts(id)).length, 1);
  });

  test("many jobs pass through few slots, each exactly once", async () => {
    const ids = await rig.submitMany(Array.from({ length: 500 }, () => ({})));
    const workers = [await rig.worker({ concurrency: 3 }), await rig.worker({ concurrency: 40 })];
    await eventually(
      async () => (await rig.sql`select count(*)::int as n from job_end`)[0]!.n === 500,
      "all ended",
    );
    const seen = workers.flatMap((w) => w.assigned.map((j) => j.id));
    assert.equal(seen.length, 500);
    assert.deepEqual(new Set(seen), new Set(ids));
    assert.ok(workers.every((w) => w.assigned.length > 0));
  });

  test("a worker never holds more than its slots", async () => {
    let most = 0;
    const worker = await rig.worker({
      concurrency: 3,
      run: (job) => {
        most = Math.max(most, worker.running.size);
        job.start();
        setTimeout(() => job.succeed(), 2);
      },
    });
    await rig.submitMany(Array.from({ length: 60 }, () => ({})));
    await eventually(
      async () => (await rig.sql`select count(*)::int as n from job_end`)[0]!.n === 60,
      "all ended",
    );
    assert.equal(most, 3);
  });

  test("jobs that a stopped server left are run by the next one, handlers too", async () => {
    const handler = await rig.submit();
    const exec = await rig.submit({ kind: "exec", name: "echo", payload: { command: ["true"] } });
    await rig.engines[0]!.stop();
    const next = await rig.addEngine();
    const worker = await rig.worker({}, next.engine);
    await rig.until(exec, "succeeded");
    await rig.until(handler, "succeeded");
    assert.equal(worker.assigned.length, 2);
  });

  test("a job that becomes ready is dispatched at once, not at the next sweep", async () => {
    await rig.worker();
    await rig.until(await rig.submit(), "succeeded");
    const startedAt = performance.now();
    for (let i = 0; i < 20; i++) await rig.until(await rig.submit(), "succeeded");
    assert.ok(performance.now() - startedAt < 5_000, "20 jobs one after another");
  });
});
