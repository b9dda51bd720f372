import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { FilterFields } from "../../src/core/search/fields.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const NOBODY = "00000000-0000-7000-8000-000000000000";

const all = (filter: FilterFields = {}) => ({ kind: "cancel", org: "default", filter }) as const;

describe("cancels", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const holding = () => rig.worker({ concurrency: 50, run: (job: HeldJob) => job.start() });
  const cancel = (id: string, engine = rig.engine) => engine.cancelJob(id, "tester", "no need");

  async function operationDone(operation: string | null) {
    return await eventually(async () => {
      const [row] = await rig.sql`select * from operation where id = ${operation}`;
      return row!.state === "running" ? null : row;
    }, "the operation is over");
  }

  test("a job that waits is cancelled at once, with who and why, and fails what depends on it", async () => {
    const [ready, deferred] = await rig.submitMany([{}, { run_at: "2999-01-01T00:00:00Z" }]);
    const below = await rig.submit({ depends_on: [ready!] });
    for (const id of [ready!, deferred!]) {
      assert.deepEqual(await cancel(id), { ok: true, state: "cancelled" });
      assert.equal((await rig.end(id)).reason, "no need");
    }
    assert.equal(await rig.state(below), "dependency_failed");
    const [event] = await rig.sql`
      select actor from phase_event where job_id = ${ready!} and state = 'cancelled'`;
    assert.equal(event!.actor, "tester");
    const again = await cancel(ready!);
    assert.ok(!again.ok && again.code === "conflict");
    const nothing = await cancel(NOBODY);
    assert.ok(!nothing.ok && nothing.code === "not_found");
  });

  test("a running job is asked, acknowledges, and is cancelled when its worker says so", async () => {
    const worker = await holding();
    const id = await rig.submit();
    await rig.until(id, "running");
    const held = await worker.held(id);
    assert.deepEqual(await cancel(id), { ok: true, state: "running" });
    await eventually(() => held.cancelReason === "no need", "the worker is told");
    assert.ok((await rig.live(id)).cancel_requested_at);
    held.acknowledgeCancel();
    await eventually(async () => (await rig.live(id)).cancel_acknowledged_at, "acknowledged");
    assert.equal(await rig.state(id), "running");
    assert.deepEqual(await cancel(id), { ok: true, state: "running" });
    held.cancelled();
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.reason], ["cancelled", "no need"]);
    const [attempt] = await rig.attempts(id);
    assert.equal(attempt!.outcome, "cancelled");
  });

  test("a job that is through before its worker heard of the cancel has succeeded", async () => {
    const worker = await holding();
    const id = await rig.submit();
    await rig.until(id, "running");
    const held = await worker.held(id);
    await cancel(id);
    held.succeed();
    await rig.until(id, "succeeded");
  });

  test("asked to cancel, a failure is the cancel: nothing starts the job again", async () => {
    const worker = await holding();
    const [retried, last] = await rig.submitMany([{ max_attempts: 5 }, { max_attempts: 1 }]);
    for (const id of [retried!, last!]) {
      await rig.until(id, "running");
      const held = await worker.held(id);
      // As another replica writes it, before this one has read it.
      await rig.sql`update live_job set cancel_requested_at = now(), cancel_actor = 'x' where id = ${id}`;
      await rig.sql`
        insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state, reason)
        select now(), org_id, queue_id, name_id, id, attempt, state, state, 'cancel_requested'
        from live_job where id = ${id}`;
      held.fail();
      assert.equal((await rig.end(id)).state, "cancelled");
      assert.equal((await rig.attempts(id))[0]!.outcome, "failed");
    }
  });

  test("a cancel that nobody asked for is a failure", async () => {
    const worker = await holding();
    const id = await rig.submit();
    (await worker.held(id)).cancelled();
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.reason], ["failed", "cancelled_unasked"]);
  });

  test("a rejection or a release of a job that is to be cancelled cancels it", async () => {
    const worker = await rig.worker({ concurrency: 10, run: () => {} });
    const [rejected, released] = await rig.submitMany([{}, {}]);
    const first = await worker.held(rejected!);
    const second = await worker.held(released!);
    await cancel(rejected!);
    await cancel(released!);
    first.reject();
    second.release();
    assert.equal((await rig.end(rejected!)).state, "cancelled");
    assert.equal((await rig.end(released!)).state, "cancelled");
  });

  test("the cancel of a job whose worker never comes back is carried out by the rescuer", async () => {
    const worker = await holding();
    const id = await rig.submit({ max_attempts: 9 });
    await rig.until(id, "running");
    await cancel(id);
    worker.crash();
    assert.equal((await rig.end(id)).state, "cancelled");
  });

  test("a worker that comes back hears of the cancel that it missed", async () => {
    const worker = await holding();
    const id = await rig.submit();
    await rig.until(id, "running");
    worker.drop();
    await cancel(id);
    await worker.connect();
    await eventually(() => worker.cancels.length > 0, "the cancel arrives");
    (await worker.held(id)).cancelled();
    await rig.until(id, "cancelled");
  });

  test("any replica can cancel what a worker of another one runs", async () => {
    const other = await rig.addEngine();
    const worker = await holding();
    const id = await rig.submit();
    await rig.until(id, "running");
    await cancel(id, other.engine);
    await eventually(() => worker.cancels.length === 1, "the cancel arrives");
    (await worker.held(id)).cancelled();
    await rig.until(id, "cancelled");
  });

  test("a cancel that races with the dispatch reaches the job either way", async () => {
    const worker = await rig.worker({
      concurrency: 100,
      run: (job) => {
        job.onCancel = () => job.cancelled();
        job.start();
      },
    });
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        const id = await rig.submit();
        const answer = await cancel(id);
        assert.ok(answer.ok, JSON.stringify(answer));
        await rig.until(id, "cancelled");
      }),
    );
    assert.equal(worker.running.size, 0);
  });

  test("a job that comes back to the line in the middle of a mass cancel is not missed", async () => {
    const worker = await rig.worker({ run: () => {} });
    const id = await rig.submit({ name: "work" });
    const held = await worker.held(id);
    const waiting = await rig.submit({ kind: "handler", name: "nobody" });
    const release = await rig.hold("select from live_job where id = $1 for update", [waiting]);
    const { operation } = await rig.engine.bulk.begin(all(), {}, "tester");
    await rig.blocked();
    held.reject();
    await eventually(async () => {
      const states = await rig.sql`select state from live_job where id = ${id}`;
      return states[0]?.state === "ready" || (await rig.engineWaits(2));
    }, "the rejection is written, or waits");
    await release();
    await operationDone(operation);
    await rig.until(id, "cancelled");
    await rig.until(waiting, "cancelled");
  });

  test("a dry run counts and touches nothing", async () => {
    const ids = await rig.submitMany([{ queue: "a" }, { queue: "a" }, { queue: "b" }]);
    const answer = await rig.engine.bulk.preview(all({ queue: "a" }));
    const queues = [{ name: "a", affected: 2 }];
    assert.deepEqual(answer, { affected: 2, isComplete: true, queues });
    for (const id of ids) assert.equal(await rig.state(id), "ready");
  });

  test("a filter reaches exactly what it names", async () => {
    const made = await rig.submitMany([
      { queue: "a", tags: { team: "x", host: "1" } },
      { queue: "a", tags: { team: "y" } },
      { queue: "b", tags: { team: "x" } },
      { name: "other", tags: { team: "x" } },
    ]);
    const flow = await rig.submitWorkflow([{ key: "only", tags: { team: "x" } }]);
    const affected = async (filter: object) =>
      (await rig.engine.bulk.preview(all(filter))).affected;
    assert.equal(await affected({}), 5);
    assert.equal(await affected({ tag: { team: "x" } }), 4);
    assert.equal(await affected({ tag: { team: "x" }, queue: "a" }), 1);
    assert.equal(await affected({ name: "other" }), 1);
    assert.equal(await affected({ name: "never used" }), 0);
    assert.equal(await affected({ queue: "never-used" }), 0);
    assert.equal(await affected({ workflow: flow.id }), 1);
    assert.equal(await affected({ state: ["queued"] }), 0);
    assert.equal(await affected({ state: ["succeeded"] }), 0);
    assert.equal(await affected({ created_before: "2001-01-01T00:00:00Z" }), 0);
    const { operation } = await rig.engine.bulk.begin(
      all({ tag: { team: "x" }, queue: "a" }),
      { reason: "cleaning" },
      "tester",
    );
    const row = await operationDone(operation);
    assert.deepEqual([row.state, row.done, row.affected], ["done", 1, 1]);
    assert.equal((await rig.end(made[0]!)).reason, "cleaning");
    assert.equal(await rig.state(made[1]!), "ready");
  });

  test("an operation over more than a chunk goes on after its server died", async () => {
    await rig.submitMany(Array.from({ length: 4_500 }, () => ({})));
    const { operation, affected } = await rig.engine.bulk.begin(all(), {}, "tester");
    assert.equal(affected, 4_500);
    await rig.engines[0]!.stop();
    await rig.addEngine();
    const row = await operationDone(operation);
    assert.deepEqual([row.state, row.done], ["done", 4_500]);
    const [left] = await rig.sql`select count(*)::int as n from live_job`;
    assert.equal(left!.n, 0);
  });

  test("an operation whose server died in its middle is finished by another, each job once", async () => {
    const ids = await rig.submitMany(Array.from({ length: 4_500 }, () => ({})));
    // Newest first: the last of its three chunks waits for the oldest job.
    const release = await rig.hold("select id from live_job where id = $1 for update", [ids[0]!]);
    const { operation } = await rig.engine.bulk.begin(all(), {}, "tester");
    const row = async () => (await rig.sql`select * from operation where id = ${operation}`)[0]!;
    await eventually(async () => (await row()).done === 4_000, "two chunks are done");
    await rig.blocked();
    await rig.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'signalbox engine'`;
    await rig.engines[0]!.stop();
    const left = await row();
    assert.deepEqual([left.state, left.done], ["running", 4_000]);
    assert.ok(left.cursor);
    await rig.addEngine();
    await release();
    const over = await operationDone(operation);
    assert.deepEqual([over!.state, over!.done], ["done", 4_500]);
    const [ends] = await rig.sql`select count(*)::int as n from job_end where state = 'cancelled'`;
    assert.equal(ends!.n, 4_500);
  });

  test("two servers that carry out one operation do each job once", async () => {
    await rig.submitMany(Array.from({ length: 4_500 }, () => ({})));
    const { operation } = await rig.engine.bulk.begin(all(), {}, "tester");
    await rig.addEngine();
    const row = await operationDone(operation);
    assert.deepEqual([row.state, row.done], ["done", 4_500]);
  });
});
