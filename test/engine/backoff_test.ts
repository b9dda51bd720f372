import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";

describe("failures, backoff and run_at", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  test("a job fails when it has failed max_attempts times, and not before", async () => {
    const worker = await rig.worker({ run: (job) => job.start().fail(`at ${job.lease.attempt}`) });
    const id = await rig.submit({ max_attempts: 3, backoff: { base_seconds: 0 } });
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.failures, end.attempt, end.error], ["failed", 3, 3, "at 3"]);
    assert.equal(worker.assigned.length, 3);
    assert.deepEqual(
      (await rig.attempts(id)).map((a) => [a.outcome, a.state_after, a.error]),
      [
        ["failed", "queued", "at 1"],
        ["failed", "queued", "at 2"],
        ["failed", "failed", "at 3"],
      ],
    );
    const history = await rig.history(id);
    assert.equal(history.filter((h) => h === "queued(backoff)").length, 2);
  });

  test("between two attempts it waits at least half of its backoff, and at most all of it", async () => {
    const worker = await rig.worker({
      run: (job) => (job.lease.attempt < 3 ? job.start().fail() : job.start().succeed()),
    });
    const id = await rig.submit({ max_attempts: 5, backoff: { base_seconds: 0.6, factor: 2 } });
    await rig.until(id, "queued");
    const row = await rig.live(id);
    const waits = (row.due_at - row.queued_at) / 1000;
    assert.ok(waits >= 0.299 && waits <= 0.6, `${waits} s`);
    assert.equal(row.last_error, "broken");
    await rig.until(id, "succeeded");
    const attempts = await rig.attempts(id);
    const second = (attempts[2]!.eligible_at - attempts[1]!.ended_at) / 1000;
    assert.ok(second >= 0.599 && second <= 1.2, `${second} s`);
    assert.equal(worker.assigned.length, 3);
  });

  test("a timeout counts as a failure, and says so", async () => {
    await rig.worker({ run: (job) => job.start().end({ outcome: "timed_out", run_ms: 3 }) });
    const id = await rig.submit({ max_attempts: 2, backoff: { base_seconds: 0 } });
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.reason, end.failures], ["failed", "timed_out", 2]);
    assert.deepEqual(
      (await rig.attempts(id)).map((a) => a.outcome),
      ["timed_out", "timed_out"],
    );
  });

  test("a job that a worker gives back unharmed is ready at once and has lost nothing", async () => {
    const worker = await rig.worker({
      run: (job) => (job.lease.attempt <= 4 ? job.release() : job.start().succeed()),
    });
    const id = await rig.submit({ max_attempts: 1, backoff: { base_seconds: 600 } });
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.failures, end.attempt], ["succeeded", 0, 5]);
    assert.equal(worker.assigned.length, 5);
  });

  test("a job that a worker gives back again and again backs off, and runs after that", async () => {
    const worker = await rig.worker({
      run: (job) => (job.lease.attempt <= 5 ? job.start().release() : job.start().succeed()),
    });
    const id = await rig.submit({ max_attempts: 1, backoff: { base_seconds: 1.5 } });
    await rig.until(id, "queued");
    const row = await rig.live(id);
    assert.deepEqual([row.waiting_for, row.rejections, row.failures], ["backoff", 5, 0]);
    assert.equal(worker.assigned.length, 5);
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.failures, end.attempt], ["succeeded", 0, 6]);
  });

  test("what a draining worker gives back costs nothing, however often", async () => {
    const id = await rig.submit({ max_attempts: 1, backoff: { base_seconds: 600 } });
    for (let n = 0; n < 7; n++) {
      const worker = await rig.worker();
      worker.run = (job) => {
        worker.drain();
        job.start().release();
      };
      await eventually(async () => (await rig.attempts(id)).length > n, `return ${n}`);
      worker.drop();
    }
    await rig.worker();
    assert.equal((await rig.end(id)).attempt, 8);
  });

  test("a job with a run_at runs when it has come, and is no longer deferred then", async () => {
    await rig.worker();
    const run_at = new Date(Date.now() + 900).toISOString();
    const id = await rig.submit({ run_at });
    assert.deepEqual(
      [(await rig.live(id)).state, (await rig.live(id)).waiting_for],
      ["queued", "run_at"],
    );
    await rig.until(id, "succeeded");
    const end = await rig.end(id);
    assert.equal(end.eligible_at.toISOString(), run_at);
    assert.ok(end.ready_at >= end.eligible_at);
    assert.ok(end.ready_at - end.eligible_at < 2_000, "staged within two seconds");
  });

  test("a run_at in the past is no deferral", async () => {
    await rig.worker();
    const id = await rig.submit({ run_at: "2001-01-01T00:00:00Z" });
    await rig.until(id, "succeeded");
    const end = await rig.end(id);
    assert.equal(end.eligible_at.getTime(), end.queued_at.getTime());
  });

  test("a thousand jobs that are due at once are all staged", async () => {
    const run_at = new Date(Date.now() + 400).toISOString();
    const ids = await rig.submitMany(Array.from({ length: 1_500 }, () => ({ run_at })));
    await eventually(async () => {
      const [row] = await rig.sql`select count(*)::int as n from live_job where state = 'ready'`;
      return row!.n === ids.length;
    }, "all are ready");
  });

  test("two servers stage each job once", async () => {
    const other = await rig.addEngine();
    const run_at = new Date(Date.now() + 500).toISOString();
    const ids = await rig.submitMany(Array.from({ length: 300 }, () => ({ run_at })));
    await rig.worker({ concurrency: 20 });
    await rig.worker({ concurrency: 20 }, other.engine);
    for (const id of ids) await rig.until(id, "succeeded");
  });
});

describe("rejections", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  test("a rejected job goes to another worker, and never again to the one that rejected it", async () => {
    const picky = await rig.worker({ concurrency: 50, run: (job) => job.reject("too big") });
    const id = await rig.submit();
    await eventually(async () => (await rig.live(id)).rejections === 1, "it was rejected");
    assert.deepEqual((await rig.live(id)).rejected_by, [picky.session.workerId]);
    const other = await rig.worker();
    await rig.until(id, "succeeded");
    assert.deepEqual([picky.assigned.length, other.assigned.length], [1, 1]);
    const [attempt] = await rig.attempts(id);
    assert.deepEqual([attempt!.outcome, attempt!.reason], ["rejected", "too big"]);
    assert.equal((await rig.end(id)).failures, 0);
  });

  test("a worker that rejects because it drains may get the job another day", async () => {
    const worker = await rig.worker({ run: (job) => job.reject("draining") });
    const id = await rig.submit();
    await eventually(() => worker.assigned.length >= 2, "it is offered again");
    worker.run = (job) => job.start().succeed();
    await rig.until(id, "succeeded");
  });

  test("from the fifth rejection on a job backs off", async () => {
    const id = await rig.submit({ backoff: { base_seconds: 5 } });
    for (let n = 0; n < 5; n++) {
      const worker = await rig.worker({ run: (job) => job.reject(`no ${n}`) });
      await eventually(() => worker.assigned.length === 1, `worker ${n} rejects it`);
    }
    await rig.until(id, "queued");
    const row = await rig.live(id);
    assert.deepEqual([row.waiting_for, row.rejections, row.rejected_by.length], ["backoff", 5, 5]);
    assert.equal(row.last_error, "no 4");
  });

  test("jobs that the only worker has rejected stand in nobody's way", async () => {
    // More of them than the window holds.
    const tight = await rig.addEngine({ windowPerShape: 2 });
    await rig.engines[0]!.stop();
    const refused = await rig.submitMany(
      Array.from({ length: 60 }, () => ({})),
      tight.engine,
    );
    const worker = await rig.worker(
      { concurrency: 5, run: (job) => (bad.has(job.id) ? job.reject() : job.start().succeed()) },
      tight.engine,
    );
    const bad = new Set(refused);
    await eventually(() => worker.assigned.length >= 60, "all of them are rejected");
    const good = await rig.submitMany(
      Array.from({ length: 10 }, () => ({})),
      tight.engine,
    );
    for (const id of good) await rig.until(id, "succeeded");
    // And they are offered at once to whoever comes.
    const other = await rig.worker({ concurrency: 5 }, tight.engine);
    for (const id of refused) await rig.until(id, "succeeded");
    assert.equal(other.assigned.length, 60);
  });

  test("a worker of another server does not get a job that it rejected there", async () => {
    const other = await rig.addEngine();
    const picky = await rig.worker({ concurrency: 100, run: (job) => job.reject() });
    const ids = await rig.submitMany(Array.from({ length: 30 }, () => ({})));
    await eventually(async () => {
      const [row] = await rig.sql`
        select count(*)::int as n from live_job where state = 'ready' and rejections = 1`;
      return row!.n === 30;
    }, "all rejections are on record");
    await picky.connect({ engine: other.engine });
    const helper = await rig.worker({ concurrency: 3 }, other.engine);
    for (const id of ids) await rig.until(id, "succeeded");
    assert.equal(picky.assigned.length, 30);
    assert.equal(helper.assigned.length, 30);
  });
});
