import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const NOBODY = "00000000-0000-7000-8000-000000000000";

describe("retries by hand", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const holding = () => rig.worker({ concurrency: 50, run: (job: HeldJob) => job.start() });
  const retry = (id: string) => rig.engine.retryJob(id, "tester", "once more");

  /** A worker that fails these jobs and holds the others. */
  async function failing(...ids: string[]) {
    const worker = await holding();
    for (const id of ids) (await worker.held(id)).fail();
    for (const id of ids) await rig.until(id, "failed");
    return worker;
  }

  test("a failed job runs again under its id, with the next attempt and its failures forgotten", async () => {
    const id = await rig.submit();
    const worker = await failing(id);
    assert.deepEqual(await retry(id), { ok: true, state: "ready" });
    const held = await worker.held(id);
    assert.equal(held.lease.attempt, 2);
    assert.equal((await rig.live(id)).failures, 0);
    held.succeed();
    await rig.until(id, "succeeded");
    assert.equal((await rig.attempts(id)).length, 2);
    const events = await rig.sql`
      select reason, actor from phase_event where job_id = ${id} and from_state = 'failed'`;
    assert.deepEqual([events[0]!.reason, events[0]!.actor], ["once more", "tester"]);
  });

  test("what cannot be retried is said with a reason", async () => {
    const worker = await rig.worker();
    const id = await rig.submit();
    await rig.until(id, "succeeded");
    worker.drop();
    const waiting = await rig.submit();
    for (const [job, code] of [
      [id, "conflict"],
      [waiting, "conflict"],
      [NOBODY, "not_found"],
    ] as const) {
      const answer = await retry(job);
      assert.ok(!answer.ok && answer.code === code && answer.reason.length > 5, job);
    }
  });

  test("a retry takes along what failed because of it, and leaves what was cancelled", async () => {
    const a = await rig.submit();
    const b = await rig.submit({ depends_on: [a] });
    const c = await rig.submit({ depends_on: [b] });
    const cancelled = await rig.submit({ depends_on: [a] });
    await rig.engine.cancelJob(cancelled, "tester");
    const worker = await failing(a);
    await rig.until(c, "dependency_failed");
    assert.deepEqual(await retry(a), { ok: true, state: "ready" });
    assert.deepEqual(
      [await rig.state(b), await rig.state(c), await rig.state(cancelled)],
      ["queued", "queued", "cancelled"],
    );
    for (const id of [a, b, c]) (await worker.held(id)).succeed();
    await rig.until(c, "succeeded");
  });

  test("a job with two failed dependencies follows the retry of the last of them", async () => {
    const [a, b] = await rig.submitMany([{}, {}]);
    const c = await rig.submit({ depends_on: [a!, b!] });
    const worker = await failing(a!, b!);
    await rig.until(c, "dependency_failed");
    const early = await retry(c);
    assert.ok(!early.ok && early.reason.includes(a!) && early.reason.includes(b!), "names both");
    await retry(a!);
    assert.equal(await rig.state(c), "dependency_failed");
    await retry(b!);
    assert.equal(await rig.state(c), "queued");
    for (const id of [a!, b!, c]) (await worker.held(id)).succeed();
    await rig.until(c, "succeeded");
  });

  test("of two retries at once, one brings back what needs both", async () => {
    const worker = await holding();
    for (let round = 0; round < 10; round++) {
      const [a, b] = await rig.submitMany([{}, {}]);
      const c = await rig.submit({ depends_on: [a!, b!] });
      for (const id of [a!, b!]) (await worker.held(id)).fail();
      for (const id of [a!, b!]) await rig.until(id, "failed");
      await Promise.all([retry(a!), retry(b!)]);
      assert.equal(await rig.state(c), "queued", `round ${round}`);
    }
  });

  test("a dependency that ends well while its dependent is brought back is counted off", async () => {
    const [a, b] = await rig.submitMany([{}, {}]);
    const c = await rig.submit({ depends_on: [a!, b!] });
    const worker = await failing(a!);
    // The end of b stands in the middle of its transaction.
    const release = await rig.hold("select from edge where dependency_id = $1 for update", [b!]);
    (await worker.held(b!)).succeed();
    await rig.blocked();
    const retried = retry(a!);
    await rig.blocked(2);
    await release();
    assert.deepEqual(await retried, { ok: true, state: "ready" });
    (await worker.held(a!)).succeed();
    (await worker.held(c)).succeed();
    await rig.until(c, "succeeded");
  });

  test("a dependency that fails while its dependent is brought back keeps it failed", async () => {
    const [a, b] = await rig.submitMany([{}, {}]);
    const c = await rig.submit({ depends_on: [a!, b!] });
    const worker = await failing(a!);
    // Some other dependent of b, whose fall the end of b must wait for.
    const other = await rig.submit({ depends_on: [b!] });
    const release = await rig.hold("select from live_job where id = $1 for update", [other]);
    (await worker.held(b!)).fail();
    await rig.blocked();
    const retried = retry(a!);
    await rig.blocked(2);
    await release();
    assert.deepEqual(await retried, { ok: true, state: "ready" });
    await rig.until(b!, "failed");
    assert.equal(await rig.state(c), "dependency_failed");
  });

  test("a job that is brought back before its run_at waits for it again", async () => {
    const id = await rig.submit({ run_at: "2999-01-01T00:00:00Z" });
    await rig.engine.cancelJob(id, "tester");
    assert.deepEqual(await retry(id), { ok: true, state: "queued" });
    const row = await rig.live(id);
    assert.equal(row.waiting_for, "run_at");
    assert.equal(row.due_at.toISOString(), "2999-01-01T00:00:00.000Z");
  });

  test("all that matches is retried, and what would only fail again is left", async () => {
    const called = (name: string, depends_on: string[] = []) => ({
      name,
      depends_on,
      kind: "exec" as const,
      payload: { command: ["true"] },
    });
    const [a, b] = await rig.submitMany([called("a"), called("b")]);
    const c = await rig.submit(called("c", [a!, b!]));
    const d = await rig.submit(called("d", [b!]));
    await failing(a!, b!);
    await rig.until(c, "dependency_failed");
    const act = (name: string, state: "failed" | "dependency_failed") =>
      rig.engine.bulk.begin(
        { kind: "retry", org: "default", filter: { state: [state], name } },
        {},
        "tester",
      );
    const done = (operation: string | null) =>
      eventually(async () => {
        const [row] = await rig.sql`select state, done from operation where id = ${operation}`;
        return row!.state === "done" ? row : null;
      }, "the operation is done");
    const none = await done((await act("c", "dependency_failed")).operation);
    assert.equal(none.done, 0);
    assert.equal(await rig.state(c), "dependency_failed");
    const one = await done((await act("b", "failed")).operation);
    assert.equal(one.done, 2);
    assert.deepEqual([await rig.state(c), await rig.state(d)], ["dependency_failed", "queued"]);
    await rig.engine.bulk.begin({ kind: "retry", org: "default", filter: {} }, {}, "tester");
    await rig.until(c, "queued");
  });

  test("a chain of 3,000 jobs comes back as one", async () => {
    const jobs = Array.from({ length: 3_000 }, (_, at) => ({
      key: `k${at}`,
      depends_on: at === 0 ? [] : [`k${at - 1}`],
    }));
    const flow = await rig.submitWorkflow(jobs);
    await rig.engine.cancelJob(flow.jobs.k0!, "tester");
    await rig.workflowState(flow.id, "failed");
    const startedAt = performance.now();
    assert.deepEqual(await retry(flow.jobs.k0!), { ok: true, state: "ready" });
    assert.ok(performance.now() - startedAt < 10_000);
    assert.equal(await rig.state(flow.jobs.k2999!), "queued");
    await rig.workflowState(flow.id, "running");
  });

  test("a workflow is open again while a job of it runs again, and ends anew", async () => {
    const worker = await holding();
    const flow = await rig.submitWorkflow([{ key: "a" }, { key: "b" }]);
    (await worker.held(flow.jobs.a!)).fail();
    (await worker.held(flow.jobs.b!)).succeed();
    await rig.workflowState(flow.id, "failed");
    await retry(flow.jobs.a!);
    await rig.workflowState(flow.id, "running");
    (await worker.held(flow.jobs.a!)).succeed();
    await rig.workflowState(flow.id, "succeeded");
  });

  test("a workflow is never called finished while a retry of one of its jobs is on its way", async () => {
    const worker = await holding();
    for (let round = 0; round < 8; round++) {
      const flow = await rig.submitWorkflow([{ key: "a" }]);
      const id = flow.jobs.a!;
      (await worker.held(id)).fail();
      await rig.until(id, "failed");
      // The settler looks every 200 ms: somewhere around now.
      await retry(id);
      const held = await worker.held(id);
      const [row] = await rig.sql`select state, finished_at from workflow where id = ${flow.id}`;
      assert.deepEqual([row!.state, row!.finished_at], ["running", null], `round ${round}`);
      held.succeed();
      await rig.workflowState(flow.id, "succeeded");
    }
  });

  test("a job submitted below one that is just being retried waits for it", async () => {
    const [a, b] = await rig.submitMany([{}, { run_at: "2999-01-01T00:00:00Z" }]);
    const both = await rig.submit({ depends_on: [a!, b!] });
    const worker = await failing(a!);
    await rig.until(both, "dependency_failed");
    // The retry has locked what it takes back, and waits for what it must look at.
    const release = await rig.hold("select from live_job where id = $1 for update", [b!]);
    const retrying = retry(a!);
    await rig.blocked();
    const submitting = rig.submit({ depends_on: [a!] });
    await rig.blocked(2);
    await release();
    await retrying;
    const below = await submitting;
    assert.equal(await rig.state(below), "queued");
    (await worker.held(a!)).succeed();
    (await worker.held(below)).succeed();
    await rig.until(below, "succeeded");
    await rig.engine.cancelJob(b!, "tester");
  });

  test("a retry takes along a job that is just being submitted below", async () => {
    const [a, other] = await rig.submitMany([{}, {}]);
    const worker = await failing(a!, other!);
    // The submission has read how its dependency ended, and waits for its key.
    const release = await rig.hold(
      "insert into job_key (org_id, key, job_id) select org_id, 'k', id from job where id = $1",
      [other!],
    );
    const submitting = rig.submit({ depends_on: [a!], dedupe_key: "k" });
    await rig.blocked();
    const retrying = retry(a!);
    await rig.blocked(2);
    await release();
    const below = await submitting;
    assert.deepEqual(await retrying, { ok: true, state: "ready" });
    assert.equal(await rig.state(below), "queued");
    (await worker.held(a!)).succeed();
    (await worker.held(below)).succeed();
    await rig.until(below, "succeeded");
  });
});
