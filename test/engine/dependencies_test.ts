import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { InvalidInput } from "../../src/engine/engine.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const NOBODY = "00000000-0000-7000-8000-000000000000";

describe("dependencies", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const holding = () => rig.worker({ concurrency: 50, run: (job: HeldJob) => job.start() });

  test("a job waits until every dependency has ended well, and gets their results", async () => {
    const worker = await holding();
    const [a, b] = await rig.submitMany([{}, {}]);
    const c = await rig.submit({ depends_on: [a!, b!] });
    assert.equal((await rig.live(c)).pending_deps, 2);
    (await worker.held(a!)).succeed({ from: "a" });
    await eventually(async () => (await rig.live(c)).pending_deps === 1, "one is counted off");
    assert.equal(await rig.state(c), "queued");
    (await worker.held(b!)).succeed();
    const held = await worker.held(c);
    assert.deepEqual({ ...held.assignment.inputs }, { [a!]: { from: "a" }, [b!]: null });
    held.succeed();
    await rig.until(c, "succeeded");
    assert.deepEqual(await rig.history(c), [
      "queued(dependencies)",
      "ready",
      "dispatched",
      "running",
      "succeeded",
    ]);
  });

  test("two dependencies that end in one frame are counted off once each", async () => {
    const worker = await holding();
    const parents = await rig.submitMany(Array.from({ length: 40 }, () => ({})));
    const children = await rig.submitMany([
      { depends_on: parents },
      { depends_on: parents.slice(0, 2) },
    ]);
    await eventually(() => worker.running.size === 40, "all run");
    const reports = [...worker.running.values()].map((h) => ({
      ...h.lease,
      outcome: "succeeded" as const,
      run_ms: 1,
    }));
    worker.finishAll(reports);
    for (const child of children) (await worker.held(child)).succeed();
    for (const child of children) await rig.until(child, "succeeded");
  });

  test("naming a dependency twice is naming it once", async () => {
    const worker = await holding();
    const a = await rig.submit();
    const b = await rig.submit({ depends_on: [a, a, a] });
    (await worker.held(a)).succeed();
    await worker.held(b);
  });

  test("what a job depends on may have ended long before", async () => {
    await rig.worker();
    const a = await rig.submit();
    await rig.until(a, "succeeded");
    const b = await rig.submit({ depends_on: [a] });
    await rig.until(b, "succeeded");
    assert.deepEqual((await rig.history(b)).slice(0, 2), ["queued", "ready"]);
  });

  test("a job that depends on a failed one fails at once, and so does what depends on it", async () => {
    await rig.worker({ run: (job) => job.start().fail() });
    const a = await rig.submit();
    await rig.until(a, "failed");
    const b = await rig.submit({ depends_on: [a] });
    const c = await rig.submit({ depends_on: [b] });
    assert.equal(await rig.state(b), "dependency_failed");
    assert.equal(await rig.state(c), "dependency_failed");
    assert.match((await rig.end(c)).reason, new RegExp(`dependency ${b} ended dependency_failed`));
  });

  test("a bad end takes along everything below it, and nothing else", async () => {
    const worker = await holding();
    const [a, other] = await rig.submitMany([{}, {}]);
    const [left, right] = await rig.submitMany([
      { depends_on: [a!] },
      { depends_on: [a!, other!] },
    ]);
    const bottom = await rig.submit({ depends_on: [left!, right!] });
    const beside = await rig.submit({ depends_on: [other!] });
    (await worker.held(a!)).fail();
    for (const id of [left!, right!, bottom]) await rig.until(id, "dependency_failed");
    assert.equal(await rig.state(beside), "queued");
    (await worker.held(other!)).succeed();
    (await worker.held(beside)).succeed();
    await rig.until(beside, "succeeded");
  });

  test("a failure that will be retried takes nothing along", async () => {
    const worker = await holding();
    const a = await rig.submit({ max_attempts: 2, backoff: { base_seconds: 0 } });
    const b = await rig.submit({ depends_on: [a] });
    (await worker.held(a)).fail();
    await eventually(() => worker.assigned.length === 2, "a second attempt");
    assert.equal(await rig.state(b), "queued");
    (await worker.held(a)).succeed();
    (await worker.held(b)).succeed();
    await rig.until(b, "succeeded");
  });

  test("run_at and dependencies are waited for one after the other", async () => {
    const worker = await holding();
    const a = await rig.submit();
    const run_at = new Date(Date.now() + 700).toISOString();
    const b = await rig.submit({ depends_on: [a], run_at });
    const late = await rig.submit({ depends_on: [a], run_at: "2999-01-01T00:00:00Z" });
    await eventually(
      async () => (await rig.live(b)).waiting_for === "dependencies",
      "run_at is over",
    );
    (await worker.held(a)).succeed();
    const held = await worker.held(b);
    assert.deepEqual((await rig.history(b)).slice(0, 3), [
      "queued(run_at)",
      "queued(dependencies)",
      "ready",
    ]);
    held.succeed();
    await eventually(async () => (await rig.live(late)).pending_deps === 0, "counted off");
    assert.equal((await rig.live(late)).waiting_for, "run_at");
  });

  test("an unknown dependency is refused with the place where it is named, and nothing is kept", async () => {
    const a = await rig.submit();
    const wrong = rig.submitMany([{ depends_on: [a] }, { depends_on: [a, NOBODY] }]);
    await assert.rejects(wrong, (error: InvalidInput) => {
      assert.ok(error instanceof InvalidInput);
      assert.deepEqual(error.issues[0]!.path, ["jobs", 1, "depends_on", 1]);
      assert.match(error.message, new RegExp(NOBODY));
      return true;
    });
    const [row] = await rig.sql`select count(*)::int as n from job`;
    assert.equal(row!.n, 1);
  });

  test("jobs of another organization cannot be depended on", async () => {
    await rig.sql`insert into org (name) values ('other')`;
    const a = await rig.submit();
    const { jobInput } = await import("../../src/messages/job_input.ts");
    const input = jobInput.parse({ name: "spy", kind: "handler", depends_on: [a] });
    await assert.rejects(rig.engine.submitJobs("other", [input], "spy"), /There is no job/);
  });

  test("a submission that races with the end of its dependency never waits for ever", async () => {
    await rig.worker({ concurrency: 100 });
    const children: string[] = [];
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        const a = await rig.submit();
        children.push(await rig.submit({ depends_on: [a] }));
      }),
    );
    for (const child of children) await rig.until(child, "succeeded");
  });

  test("a chain of 3,000 jobs falls as one when its root is cancelled", async () => {
    const jobs = Array.from({ length: 3_000 }, (_, at) => ({
      key: `k${at}`,
      depends_on: at === 0 ? [] : [`k${at - 1}`],
    }));
    const flow = await rig.submitWorkflow(jobs);
    const startedAt = performance.now();
    await rig.engine.cancelJob(flow.jobs.k0!, "tester");
    assert.ok(performance.now() - startedAt < 10_000);
    assert.equal(await rig.state(flow.jobs.k2999!), "dependency_failed");
    await rig.workflowState(flow.id, "failed");
  });

  test("a wide fan of 3,000 jobs becomes ready as one", async () => {
    const worker = await holding();
    const root = await rig.submit();
    await rig.submitMany(Array.from({ length: 3_000 }, () => ({ depends_on: [root] })));
    (await worker.held(root)).succeed();
    await eventually(async () => {
      const [row] = await rig.sql`select count(*)::int as n from live_job where state <> 'queued'`;
      return row!.n === 3_000;
    }, "all are ready or run");
  });

  test("what a job waits for may end before and after its time comes: its history is in order", async () => {
    const worker = await holding();
    const root = await rig.submit();
    const held = await worker.held(root);
    await rig.until(root, "running");
    const runAt = new Date(Date.now() + 400).toISOString();
    const id = await rig.submit({ depends_on: [root], run_at: runAt });
    // The end begins before that time and is written after it.
    const release = await rig.hold("select from live_job where id = $1 for update", [root]);
    held.succeed();
    await rig.blocked();
    await eventually(
      async () => (await rig.live(id)).waiting_for === "dependencies",
      "its time has come",
    );
    await release();
    (await worker.held(id)).succeed();
    await rig.until(id, "succeeded");
  });
});
