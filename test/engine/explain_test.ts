import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Explanation } from "../../src/engine/explain.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const NOBODY = "00000000-0000-7000-8000-000000000000";
const hold = (job: HeldJob) => job.start();

describe("why a job waits", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const explain = async (id: string, engine = rig.engine) => (await engine.explain(id))!;
  const rules = (e: Explanation) => e.vetoes.map((v) => v.rule);
  const said = (e: Explanation) =>
    [...e.vetoes, ...e.workers.flatMap((w) => w.vetoes)].map((v) => `${v.sentence} ${v.unblocks}`);

  test("its place is told among the ready jobs of its shape, by priority and age", async () => {
    const [first, second, urgent] = await rig.submitMany([{}, {}, { priority: 100 }]);
    await rig.submit({ name: "other", kind: "exec", payload: { command: ["true"] } });
    const place = async (id: string) => (await explain(id)).position;
    const line = { shape_ready: 3, capped: false };
    assert.deepEqual(await place(urgent!), { ahead: 0, place: 1, ...line });
    assert.deepEqual(await place(first!), { ahead: 1, place: 2, ...line });
    assert.deepEqual(await place(second!), { ahead: 2, place: 3, ...line });
    await rig.engine.cancelJob(urgent!, "tester");
    assert.deepEqual(await place(second!), { ahead: 1, place: 2, shape_ready: 2, capped: false });
  });

  test("the line moves up as its head is served", async () => {
    const worker = await rig.worker({ concurrency: 1, run: hold });
    const ids = await rig.submitMany([{}, {}, {}]);
    const head = await worker.held(ids[0]!);
    assert.equal((await explain(ids[2]!)).position!.place, 2);
    head.succeed();
    (await worker.held(ids[1]!)).succeed();
    await worker.held(ids[2]!);
    const last = await explain(ids[2]!);
    assert.deepEqual([last.position, last.vetoes, last.workers], [undefined, [], []]);
    assert.equal(last.dispatch!.worker.id, worker.uid);
  });

  test("each worker says what it lacks, and doing that unblocks the job", async () => {
    await rig.worker({ features: ["kvm"], system: "x86_64-linux" });
    const id = await rig.submit({ requirements: { features: ["kvm", "gpu"] } });
    const before = await explain(id);
    assert.deepEqual(before.vetoes, []);
    assert.deepEqual(
      before.workers[0]!.vetoes.map((v) => v.rule),
      ["feature"],
    );
    assert.match(said(before)[0]!, /"?gpu"?.*--feature gpu/);
    await rig.worker({ features: ["kvm", "gpu"] });
    await rig.until(id, "succeeded");
  });

  test("a worker of another server is weighed like one of ours", async () => {
    const other = await rig.addEngine();
    const worker = await rig.worker({ features: [] }, other.engine);
    const id = await rig.submit({ requirements: { features: ["gpu"] } });
    for (const engine of [rig.engine, other.engine]) {
      const { workers } = await explain(id, engine);
      assert.deepEqual(
        workers.map((w) => [w.id, w.vetoes.map((v) => v.rule)]),
        [[worker.uid, ["feature"]]],
      );
    }
  });

  test("without any worker that is what holds it back, until one connects", async () => {
    const id = await rig.submit();
    const before = await explain(id);
    assert.deepEqual([rules(before), before.workers], [["no_worker"], []]);
    assert.match(said(before)[0]!, /^No worker is connected.*Start a worker: signalbox worker/);
    await rig.worker();
    await rig.until(id, "succeeded");
    assert.deepEqual(rules(await explain(id)), []);
  });

  test("a worker of another organization is none, and a full one says so", async () => {
    const other = await rig.sql`insert into org (name) values ('other') returning id`;
    assert.equal(other.length, 1);
    await rig.worker({ org: "other" });
    const id = await rig.submit();
    assert.deepEqual(rules(await explain(id)), ["no_worker"]);
    const worker = await rig.worker({ concurrency: 1, run: hold });
    await worker.held(id);
    const next = await rig.submit();
    const { workers } = await explain(next);
    assert.deepEqual(
      workers.map((w) => w.vetoes.map((v) => v.rule)),
      [["no_slot"]],
    );
    worker.running.values().next().value!.succeed();
    await worker.held(next);
  });

  test("a paused queue, a dependency and a time to come are each told with their end", async () => {
    const worker = await rig.worker({ run: hold });
    const first = await rig.submit();
    await worker.held(first);
    const below = await rig.submit({ depends_on: [first] });
    const waits = await explain(below);
    assert.deepEqual(rules(waits), ["waiting_dependencies"]);
    assert.deepEqual(
      waits.blocked_by!.map((b) => b.id),
      [first],
    );
    const later = await explain(await rig.submit({ run_at: "2999-01-01T00:00:00Z" }));
    assert.deepEqual(rules(later), ["waiting_run_at"]);
    assert.match(said(later)[0]!, /2999-01-01/);
    await rig.engine.pauseQueue("default", "default", "ada", "repairs");
    const paused = await explain(await rig.submit());
    assert.deepEqual(rules(paused), ["queue_paused"]);
    assert.match(said(paused)[0]!, /ada.*repairs.*[Rr]esume/);
    await rig.engine.resumeQueue("default", "default", "ada");
    (await worker.held(first)).succeed();
    (await worker.held(below)).succeed();
    await rig.until(below, "succeeded");
    assert.equal((await explain(below)).blocked_by, undefined);
  });

  test("names that need the same share the context of a dispatch, and each is told by its name", async () => {
    const names = ["one", "two", "three"];
    await rig.worker({ handlers: names });
    const ids = await rig.submitMany(names.map((name) => ({ name })));
    for (const id of ids) await rig.until(id, "succeeded");
    const [kept] = await rig.sql`
      select count(distinct job_context)::int as n from dispatched_job
      join decided_job using (beat, beat_place) where dispatched_job.job_id = any(${ids})`;
    assert.equal(kept!.n, 1);
    const contexts = await Promise.all(
      ids.map(async (id) => (await explain(id)).dispatch!.contexts),
    );
    assert.deepEqual(
      contexts.map(({ job }) => [job!.name, job!.queue, job!.kind]),
      names.map((name) => [name, "default", "handler"]),
    );
  });

  test("what rejected it is told, and what does not exist is null", async () => {
    const worker = await rig.worker({ run: (job) => job.reject("too big") });
    const id = await rig.submit();
    await eventually(async () => {
      const [only] = (await explain(id)).workers;
      return only?.vetoes.map((v) => v.rule).join() === "rejected_before";
    }, "the rejection is told");
    assert.equal(worker.assigned.length, 1);
    assert.equal(await rig.engine.explain(NOBODY), null);
    assert.equal(await rig.engine.explain(id, 7), null);
  });
});
