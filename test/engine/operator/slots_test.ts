/** Freeing slots: asked, acknowledged, and free only when the worker has let go. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Author } from "../../../src/core/author.ts";
import { readSlots } from "../../../src/web/service/slots.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import type { HeldJob, InlineWorker } from "../../support/inline_worker.ts";

const ADA: Author = { name: "Ada", user: "person-ada", token: null, address: "192.0.2.7" };
const BY = { orgs: "all", actor: ADA } as const;
const ALL = { orgs: "all", shared: true } as const;
const hold = (job: HeldJob) => job.start();

describe("freeing a slot", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const slotsOf = async (worker: InlineWorker) => {
    const { reads } = rig.engines[0]!.database;
    return (await readSlots(reads, worker.uid, ALL, { after: 0, limit: 100 }))!.items;
  };
  const slotOf = async (worker: InlineWorker, job: string) => {
    const found = (await slotsOf(worker)).find((slot) => "job" in slot && slot.job === job);
    return found && "job" in found ? found : undefined;
  };
  /** A job that runs in a slot of this worker. */
  async function running(worker: InlineWorker, more: object = {}) {
    const id = await rig.submit(more);
    const job = await worker.held(id);
    await rig.until(id, "running");
    return { id, job, slot: (await slotOf(worker, id))!.slot };
  }
  const free = (worker: InlineWorker, slot: number, options = {}, job?: string) =>
    rig.engine.operating.slots.free({ worker: worker.uid, slot, job }, options, BY);

  test("shows asked, then acknowledged, and is free when the worker says that it has ended", async () => {
    const worker = await rig.worker({ concurrency: 2, run: hold });
    const { id, job, slot } = await running(worker);
    job.progress(0.5);
    await eventually(async () => (await slotOf(worker, id))!.checked_in_at !== null, "checked in");
    const freed = await free(worker, slot, { reason: "too long" });
    assert.deepEqual(freed, { ok: true, affected: 1, job: id });
    const asked = (await slotOf(worker, id))!;
    assert.deepEqual(
      [asked.state, asked.freeing!.state, asked.freeing!.by, asked.freeing!.reason],
      ["running", "asked", "Ada", "too long"],
    );
    await eventually(() => job.cancelReason, "the worker is asked");
    job.acknowledgeCancel();
    const acknowledged = async () => (await slotOf(worker, id))!.freeing!.state === "acknowledged";
    await eventually(acknowledged, "it is acknowledged");
    assert.equal(await rig.state(id), "running");
    job.cancelled();
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.reason], ["cancelled", "too long"]);
    assert.deepEqual(await slotsOf(worker), [
      { slot: 1, state: "idle" },
      { slot: 2, state: "idle" },
    ]);
    const again = await free(worker, slot);
    assert.deepEqual(again, { ok: true, affected: 0, job: null });
    const rows = await rig.sql`select action, object_id, reason, before, after from audit_log`;
    assert.deepEqual(
      rows.map((r) => [r.action, r.object_id, r.reason, r.before.slot, r.after.requeue]),
      [["slot.free", id, "too long", slot, false]],
    );
  });

  test("with requeue puts the job back in line, counts no failure, and it can run again", async () => {
    const worker = await rig.worker({ concurrency: 1, run: hold });
    const { id, job, slot } = await running(worker, { max_attempts: 1 });
    await free(worker, slot, { requeue: true, reason: "make room" });
    await eventually(() => job.cancelReason, "the worker is asked");
    await rig.engine.pauseQueue("default", "default", "tester");
    job.cancelled();
    await rig.until(id, "ready");
    const live = await rig.live(id);
    assert.deepEqual([live.failures, live.cancel_requested_at, live.slot], [0, null, null]);
    const [attempt] = await rig.attempts(id);
    assert.deepEqual([attempt!.outcome, attempt!.reason], ["cancelled", "make room"]);
    const events = await rig.sql`
      select reason, actor from phase_event where job_id = ${id} and actor = 'Ada' order by id`;
    assert.deepEqual(
      events.map((e) => e.reason),
      ["free_requested", "make room"],
    );
    worker.run = (again) => again.start().succeed();
    await rig.engine.resumeQueue("default", "default", "tester");
    await rig.until(id, "succeeded");
    assert.equal((await rig.attempts(id)).length, 2);
  });

  test("with requeue counts nothing where the worker reports a failure, dies, or succeeds", async () => {
    const worker = await rig.worker({ concurrency: 3, run: hold });
    const jobs = [await running(worker), await running(worker), await running(worker)];
    for (const { slot } of jobs) await free(worker, slot, { requeue: true });
    for (const { job } of jobs) await eventually(() => job.cancelReason, "it is asked");
    await rig.engine.pauseQueue("default", "default", "tester");
    jobs[0]!.job.fail("killed");
    jobs[1]!.job.succeed();
    await rig.until(jobs[0]!.id, "ready");
    await rig.until(jobs[1]!.id, "succeeded");
    worker.drop();
    await rig.until(jobs[2]!.id, "ready");
    for (const { id } of [jobs[0]!, jobs[2]!]) {
      const { failures, lost } = await rig.live(id);
      assert.deepEqual([failures, lost], [0, 0]);
    }
  });

  test("that somebody cancels meanwhile is cancelled, and a cancel is not taken back by freeing", async () => {
    const worker = await rig.worker({ concurrency: 2, run: hold });
    const first = await running(worker);
    const second = await running(worker);
    await free(worker, first.slot, { requeue: true });
    await eventually(() => first.job.cancelReason, "it is asked");
    await rig.engine.cancelJob(first.id, ADA, "no more");
    await rig.engine.cancelJob(second.id, ADA, "no more");
    const late = await free(worker, second.slot, { requeue: true });
    assert.deepEqual(late, { ok: true, affected: 0, job: second.id });
    for (const { job } of [first, second]) {
      await eventually(() => job.cancelReason, "it is asked");
      job.cancelled();
    }
    assert.equal((await rig.end(first.id)).reason, "no more");
    assert.equal((await rig.end(second.id)).state, "cancelled");
  });

  test("is refused where the slot runs another job by now, or one of others", async () => {
    const worker = await rig.worker({ concurrency: 1, run: hold });
    const { id, slot } = await running(worker);
    const other = await free(worker, slot, {}, crypto.randomUUID());
    assert.deepEqual([other.ok, !other.ok && other.code], [false, "conflict"]);
    const by = { orgs: [4_711], actor: ADA };
    const foreign = await rig.engine.operating.slots.free({ worker: worker.uid, slot }, {}, by);
    assert.deepEqual([foreign.ok, !foreign.ok && foreign.code], [false, "forbidden"]);
    assert.equal((await slotOf(worker, id))!.freeing, null);
  });

  test("of all asks each once, on every server, and tells how many", async () => {
    const other = await rig.addEngine();
    const here = await rig.worker({ concurrency: 2, run: hold });
    const there = await rig.worker({ concurrency: 2, run: hold }, other.engine);
    const ids = await rig.submitMany([{}, {}, {}, {}]);
    await eventually(() => here.running.size + there.running.size === 4, "all run");
    for (const id of ids) await rig.until(id, "running");
    assert.equal(await rig.engine.operating.slots.count("default"), 4);
    assert.equal(
      await other.engine.operating.slots.freeAll("default", { reason: "repairs" }, ADA),
      4,
    );
    assert.equal(await rig.engine.operating.slots.freeAll("default", {}, ADA), 0);
    for (const worker of [here, there]) {
      for (const job of [...worker.running.values()]) {
        await eventually(() => job.cancelReason, "it is asked");
        job.cancelled();
      }
    }
    for (const id of ids) assert.equal((await rig.end(id)).reason, "repairs");
    const [row] = await rig.sql`select action, affected from audit_log`;
    assert.deepEqual([row!.action, row!.affected], ["slots.free", 4]);
  });

  test("a job keeps the number of its slot over a reconnect, and numbers are given once", async () => {
    const worker = await rig.worker({ concurrency: 4, run: hold });
    const jobs = [await running(worker), await running(worker), await running(worker)];
    assert.deepEqual(new Set(jobs.map(({ slot }) => slot)).size, 3);
    jobs[0]!.job.succeed();
    await rig.until(jobs[0]!.id, "succeeded");
    worker.drop();
    await worker.connect();
    for (const { id, slot } of jobs.slice(1)) assert.equal((await slotOf(worker, id))!.slot, slot);
    const [a, b] = [await running(worker), await running(worker)];
    const used = [jobs[1]!.slot, jobs[2]!.slot, a.slot, b.slot];
    assert.deepEqual([...used].sort(), [1, 2, 3, 4]);
  });
});
