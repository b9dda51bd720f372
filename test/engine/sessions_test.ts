import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const LEASE = 2;
const GRACE = 1;
/** A rescuer acts only after it has reached the database for this long. */
const AWAKE_MS = (LEASE + GRACE) * 1000 + 300;

describe("a worker's session", () => {
  let rig: Rig;
  let startedAt: number;
  beforeEach(async () => {
    rig = await Rig.start({ leaseSeconds: LEASE, graceSeconds: GRACE });
    startedAt = performance.now();
  });
  afterEach(() => rig.stop());

  const hold = (job: HeldJob) => job.start();
  const holding = () => rig.worker({ concurrency: 10, run: hold });
  const rescuerAwake = () =>
    eventually(() => performance.now() - startedAt > AWAKE_MS, "the rescuer acts");
  const session = async (id: number) =>
    (await rig.sql`select * from worker_connection where id = ${id}`)[0]!;

  test("a dropped socket costs nothing when the worker is back within the grace time", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    const first = worker.sessionId!;
    worker.drop();
    await worker.connect();
    assert.deepEqual(
      worker.welcome!.resume.map(({ job, attempt, token }) => ({ job, attempt, token })),
      [held.lease],
    );
    assert.notEqual(worker.sessionId, first);
    assert.equal((await session(first)).end_reason, "superseded");
    held.succeed();
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.attempt], ["succeeded", 1]);
  });

  test("notes that could not be written are written later, the newest of each", async () => {
    const worker = await holding();
    const [one, two] = await rig.submitMany([{}, {}]);
    const held = [await worker.held(one!), await worker.held(two!)];
    for (const job of held) await rig.until(job.id, "running");
    await rig.engine.cancelJob(two!, "tester");
    await eventually(() => held[1]!.cancelReason !== undefined, "it is asked");
    // Whoever waits for a row gives up after two seconds.
    const release = await rig.hold(
      "select id from live_job where id = any($1::uuid[]) for update",
      [`{${one},${two}}`],
    );
    held[0]!.progress(0.25, "old");
    held[1]!.acknowledgeCancel();
    const failed = () => rig.logs.filter((l) => l.message.includes("were not written")).length;
    await eventually(() => failed() > 0, "the notes are not written");
    held[0]!.progress(0.5);
    await release();
    await eventually(async () => (await rig.live(one!)).progress === 0.5, "progress is written");
    assert.equal((await rig.live(one!)).progress_note, "old");
    await eventually(async () => (await rig.live(two!)).cancel_acknowledged_at, "acknowledged");
    held[0]!.succeed();
    held[1]!.cancelled();
    await rig.end(two!);
  });

  test("beyond the grace time its jobs are ready again, and its late end counts for nothing", async () => {
    await rescuerAwake();
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    worker.drop();
    const droppedAt = performance.now();
    await rig.until(id, "ready");
    const seconds = (performance.now() - droppedAt) / 1000;
    assert.ok(seconds >= GRACE - 0.1, `not before the grace time: ${seconds}`);
    held.succeed();
    await worker.connect();
    const answer = await worker.recordOf(id);
    assert.deepEqual([answer.accepted, answer.reason], [false, "lease_lost"]);
    (await worker.held(id)).succeed();
    const end = await rig.end(id);
    assert.equal(end.attempt, 2);
    assert.deepEqual(
      (await rig.attempts(id)).map((a) => [a.outcome, a.reason]),
      [
        ["lost", "worker_lost"],
        ["succeeded", null],
      ],
    );
  });

  test("a worker that comes back too late is told to kill what it runs", async () => {
    await rescuerAwake();
    const worker = await holding();
    const id = await rig.submit();
    const { lease } = await worker.held(id);
    worker.drop();
    await rig.until(id, "ready");
    const running = [...worker.running.keys()];
    assert.deepEqual(running, [lease.token]);
    await worker.connect();
    assert.deepEqual(worker.welcome!.kill, [{ ...lease, reason: "lease_lost" }]);
    assert.deepEqual(worker.welcome!.resume, []);
    (await worker.held(id)).succeed();
    await rig.until(id, "succeeded");
  });

  test("what a new hello does not name comes back at once, and never started costs nothing", async () => {
    const worker = await rig.worker({ concurrency: 10, run: () => {} });
    const [begun, unseen] = await rig.submitMany([{}, {}]);
    (await worker.held(begun!)).start();
    await worker.held(unseen!);
    await rig.until(begun!, "running");
    worker.crash();
    worker.run = (job) => job.start().succeed();
    await worker.connect();
    for (const id of [begun!, unseen!]) await rig.until(id, "succeeded");
    assert.deepEqual(
      [(await rig.attempts(begun!))[0]!.outcome, (await rig.attempts(unseen!))[0]!.outcome],
      ["lost", "released"],
    );
  });

  test("an end that was reported to nobody is taken with the next hello", async () => {
    const worker = await holding();
    const [good, bad] = await rig.submitMany([{}, {}]);
    const jobs = [await worker.held(good!), await worker.held(bad!)];
    for (const id of [good!, bad!]) await rig.until(id, "running");
    worker.drop();
    jobs[0]!.succeed({ kept: true });
    jobs[1]!.fail("really");
    await worker.connect();
    assert.deepEqual(worker.welcome!.resume, []);
    for (const id of [good!, bad!]) assert.equal((await worker.recordOf(id)).accepted, true);
    assert.deepEqual((await rig.end(good!)).result, { kept: true });
    assert.equal((await rig.end(bad!)).error, "really");
    assert.equal(worker.unrecorded.size, 0);
  });

  test("an end whose answer was lost is accepted again and changes nothing", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    const report = { ...held.lease, outcome: "succeeded" as const, run_ms: 1, result: 1 };
    held.end(report);
    await rig.until(id, "succeeded");
    worker.drop();
    worker.unrecorded.set(report.token, report);
    await worker.connect();
    const answer = await worker.recordOf(id, worker.recorded.length + 1);
    assert.deepEqual([answer.accepted, answer.reason], [true, "repeated"]);
    assert.equal((await rig.attempts(id)).length, 1);
  });

  test("an end that is being written while the worker reconnects is written once", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    const release = await rig.hold("select from live_job where id = $1 for update", [id]);
    held.succeed();
    await rig.blocked();
    worker.drop();
    const connected = worker.connect();
    await rig.blocked(2);
    await release();
    await connected;
    assert.equal((await worker.recordOf(id)).accepted, true);
    assert.equal((await rig.attempts(id)).length, 1);
  });

  test("of two connections of one worker the newer wins, and the older is told", async () => {
    const first = await holding();
    const id = await rig.submit();
    const held = await first.held(id);
    const second = await rig.worker({ uid: first.uid, name: first.name, run: hold });
    assert.equal(first.ended, "superseded");
    // The second process knew nothing of the job: it comes back and goes to it.
    const again = await second.held(id);
    assert.equal(again.lease.attempt, 2);
    held.succeed();
    again.succeed();
    await rig.until(id, "succeeded");
    assert.equal((await rig.end(id)).attempt, 2);
  });

  test("a worker that leaves with nothing in hand is gone at once", async () => {
    const worker = await holding();
    const id = worker.sessionId!;
    worker.drop();
    await eventually(async () => (await session(id)).ended_at, "the session is over");
    assert.equal((await session(id)).end_reason, "closed");
  });

  test("a frozen worker's jobs are taken when its lease is over, not before", async () => {
    await rescuerAwake();
    const worker = await holding();
    const id = await rig.submit();
    const { lease } = await worker.held(id);
    await rig.until(id, "running");
    worker.frozen = true;
    const frozenAt = performance.now();
    await rig.until(id, "ready");
    const seconds = (performance.now() - frozenAt) / 1000;
    assert.ok(seconds > LEASE / 3, `not before: ${seconds}`);
    assert.equal(worker.ended, "lapsed");
    worker.frozen = false;
    await worker.connect();
    assert.deepEqual(worker.welcome!.kill, [{ ...lease, reason: "lease_lost" }]);
    (await worker.held(id)).succeed();
    await rig.until(id, "succeeded");
  });

  test("a job that loses its worker four times fails with worker_lost", async () => {
    const id = await rig.submit({ max_attempts: 100 });
    for (let time = 1; time <= 4; time++) {
      const worker = await holding();
      await worker.held(id);
      await rig.until(id, "running");
      worker.crash();
      await worker.connect();
      worker.drop();
    }
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.reason, end.failures], ["failed", "worker_lost", 0]);
    // In between it may have been dispatched and given back unstarted, which costs nothing.
    const lost = (await rig.attempts(id)).filter((a) => a.outcome === "lost");
    assert.equal(lost.length, 4);
  });

  test("a lease that is over and that nobody ended still takes a report", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    // The rescuer of a young server does not act yet.
    await rig.sql`update worker_connection set lease_until = now() - interval '1 hour'`;
    held.succeed();
    assert.equal((await worker.recordOf(id)).accepted, true);
    assert.equal((await rig.end(id)).attempt, 1);
  });

  test("a server that has just started rescues nobody before everybody had time to come back", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    await rig.engines[0]!.stop();
    await rig.sql`update worker_connection set lease_until = now() - interval '1 hour'`;
    const next = await rig.addEngine();
    assert.equal(await rig.state(id), "running");
    await worker.connect({ engine: next.engine });
    held.succeed();
    assert.equal((await rig.end(id)).attempt, 1);
  });

  test("a server that stops tells its workers, which go on at another one", async () => {
    const other = await rig.addEngine();
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    await rig.engines[0]!.stop();
    assert.equal(worker.ended, "stopping");
    await worker.connect({ engine: other.engine });
    held.succeed();
    assert.equal((await rig.end(id)).attempt, 1);
  });

  test("a worker's id belongs to the organization that used it first", async () => {
    await rig.sql`insert into org (name) values ('other')`;
    const worker = await holding();
    const thief = await rig.worker({ uid: worker.uid, org: "other" });
    assert.equal(thief.refused, "worker_id_taken");
    assert.equal(worker.ended, undefined);
    const stranger = await rig.worker({ org: "nowhere" });
    assert.equal(stranger.refused, "unauthorized");
  });

  test("a hello cannot claim a job with a token that is not its own", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    const thief = await rig.worker({ run: hold });
    thief.drop();
    const stolen = { ...held.lease, outcome: "succeeded" as const, run_ms: 1 };
    thief.unrecorded.set(stolen.token, { ...stolen, token: randomUUID() });
    await thief.connect();
    assert.deepEqual((await thief.recordOf(id)).reason, "lease_lost");
    thief.drop();
    // Even the right token is worth nothing in another worker's hands.
    thief.unrecorded.set(stolen.token, stolen);
    await thief.connect();
    assert.deepEqual((await thief.recordOf(id, 2)).reason, "lease_lost");
    assert.equal(await rig.state(id), "running");
    held.succeed();
    await rig.until(id, "succeeded");
  });

  test("a worker that says it drains gets nothing new, finishes, and another takes over", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    worker.drain();
    await eventually(async () => (await session(worker.sessionId!)).draining, "it is noted");
    const next = await rig.submit();
    const other = await holding();
    (await other.held(next)).succeed();
    held.succeed();
    await rig.until(id, "succeeded");
    assert.equal(worker.assigned.length, 1);
  });

  test("a worker that is asked to drain is told, whichever replica it is connected to", async () => {
    const other = await rig.addEngine();
    const near = await holding();
    const far = await rig.worker({ run: hold }, other.engine);
    assert.equal(await rig.engine.drainWorker(near.uid, "tester"), true);
    assert.equal(await rig.engine.drainWorker(far.uid, "tester"), true);
    assert.equal(await rig.engine.drainWorker(randomUUID(), "tester"), false);
    await eventually(() => near.askedToDrain && far.askedToDrain, "both are asked");
    const id = await rig.submit();
    const third = await holding();
    (await third.held(id)).succeed();
    await rig.until(id, "succeeded");
    assert.equal(near.assigned.length + far.assigned.length, 0);
  });

  test("a session that another replica has ended stands in nobody's way", async () => {
    const other = await rig.addEngine();
    const busy = await rig.worker({ name: "gone", concurrency: 20, run: hold });
    // Its socket here hangs; it has reconnected over there and left again.
    await busy.connect({ engine: other.engine });
    const ghost = await rig.worker({ uid: randomUUID(), concurrency: 20, run: hold });
    await rig.sql`
      update worker_connection set ended_at = now(), end_reason = 'superseded'
      where id = ${ghost.sessionId!}`;
    busy.drop();
    const healthy = await rig.worker({ concurrency: 2, run: hold });
    // Half busy, it is the worse choice for every job.
    await healthy.held(await rig.submit());
    await eventually(() => ghost.ended === "lapsed", "the ghost is sent away");
    (await healthy.held(await rig.submit())).succeed();
  });
});
