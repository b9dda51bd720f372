/** Stop of queues: nothing is leased after the answer, called off whole or ended in the background. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Author } from "../../../src/core/author.ts";
import { NotFound } from "../../../src/engine/engine.ts";
import { Rig, type RigEngine } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import type { HeldJob } from "../../support/inline_worker.ts";

const ADA: Author = { name: "Ada", user: "person-ada", token: null, address: "192.0.2.7" };
const BOB: Author = { name: "Bob", user: "person-bob", token: null, address: "192.0.2.8" };
const ONE = { queues: [{ org: "default", queue: "a" }] };
const many = (n: number, queue = "a") => Array.from({ length: n }, () => ({ queue }));
const hold = (job: HeldJob) => job.start();

describe("a stop of a queue", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const row = async (id: string) => (await rig.sql`select * from operation where id = ${id}`)[0]!;
  const ends = (id: string | null) =>
    eventually(
      async () => {
        const found = await row(id!);
        return found.state === "running" ? null : found;
      },
      "the operation is over",
      { deadlineMs: 30_000 },
    );
  const marker = async (queue = "a") =>
    (await rig.sql`select stop_below from queue where name = ${queue}`)[0]!.stop_below;
  const states = async () =>
    Object.fromEntries(
      (
        await rig.sql`select state, count(*)::int as n from (
        select state from live_job union all select state from job_end) x group by 1`
      ).map((r) => [r.state, r.n]),
    );

  test("ends what waits, for whatever, with its reason and its workflow; what runs, runs on", async () => {
    const worker = await rig.worker({ concurrency: 1, run: hold });
    const running = await rig.submit({ queue: "a" });
    const held = await worker.held(running);
    const waits = await rig.submitMany([
      { queue: "a" },
      { queue: "a", run_at: "2999-01-01T00:00:00Z" },
      { queue: "b" },
    ]);
    const flow = await rig.submitWorkflow([
      { key: "first", queue: "a" },
      { key: "next", queue: "b", depends_on: ["first"] },
    ]);
    const stopped = await rig.engine.operating.stops.begin(
      ONE,
      { reason: "storm", delaySeconds: 0 },
      ADA,
    );
    assert.deepEqual(
      [stopped.affected, stopped.queues],
      [3, [{ org: "default", name: "a", affected: 3 }]],
    );
    const over = await ends(stopped.operation);
    assert.deepEqual([over.state, over.done, over.affected], ["done", 3, 3]);
    for (const id of [waits[0]!, waits[1]!, flow.jobs.first!]) {
      const end = await rig.end(id);
      assert.deepEqual([end.state, end.reason], ["cancelled", "storm"]);
    }
    assert.equal(await rig.state(waits[2]!), "ready");
    assert.equal(await rig.state(flow.jobs.next!), "dependency_failed");
    await rig.workflowState(flow.id, "failed");
    assert.equal(await rig.state(running), "running");
    assert.equal(await marker(), null);
    worker.run = (job) => job.start().succeed();
    held.succeed();
    await rig.until(running, "succeeded");
    await rig.until(waits[2]!, "succeeded");
  });

  test("lets nothing of it start after the answer, on any server, and what comes later at once", async () => {
    const other = await rig.addEngine();
    await rig.submitMany(many(600));
    const started = new Set<string>();
    const run = (job: HeldJob) => {
      started.add(job.id);
      job.start().succeed();
    };
    await rig.worker({ concurrency: 3, run });
    await rig.worker({ concurrency: 3, run }, other.engine);
    await eventually(() => started.size > 20, "both are at work");
    const { operation } = await rig.engine.operating.stops.begin(ONE, { delaySeconds: 600 }, ADA);
    const left = await rig.sql`select id from live_job where state = 'ready'`;
    const later = await rig.submitMany(many(40), other.engine);
    for (const id of later) await rig.until(id, "succeeded");
    assert.ok(left.length > 0);
    for (const { id } of left) assert.ok(!started.has(id), "started after the answer");
    const explained = await rig.engine.explain(left[0]!.id);
    assert.equal(explained!.vetoes[0]!.rule, "queue_stopped");
    const undone = await rig.engine.bulk.undo(operation!, ADA);
    assert.ok(undone.ok && undone.state === "undone");
    await eventually(
      async () => (await states()).succeeded === 640,
      "all go on once it is undone",
      {
        deadlineMs: 20_000,
      },
    );
  });

  test("waits for the leases that are on their way", async () => {
    await rig.submitMany(many(2));
    const release = await rig.hold("select from queue where name = $1 for share", ["a"]);
    let answered = false;
    const stopping = rig.engine.operating.stops
      .begin(ONE, { delaySeconds: 0 }, ADA)
      .then((stopped) => {
        answered = true;
        return stopped;
      });
    await rig.blocked();
    assert.equal(answered, false);
    await release();
    assert.equal((await ends((await stopping).operation)).done, 2);
  });

  test("spares what ran then and is tried again, and what somebody retries meanwhile", async () => {
    const [failed] = await rig.submitMany([{ queue: "a" }]);
    const worker = await rig.worker({ concurrency: 1, run: (job) => job.start().fail() });
    await rig.until(failed!, "failed");
    worker.run = hold;
    const running = await rig.submit({ queue: "a", max_attempts: 2, backoff: { base_seconds: 1 } });
    const held = await worker.held(running);
    await rig.submitMany(many(2_500));
    const stop = await rig.engine.operating.stops.begin(ONE, { delaySeconds: 2 }, ADA);
    await rig.engine.retryJob(failed!, BOB);
    held.fail();
    await rig.until(running, "queued", "ready");
    worker.run = (job) => job.start().succeed();
    assert.equal((await ends(stop.operation)).done, 2_500);
    await rig.until(failed!, "succeeded");
    await rig.until(running, "succeeded");
  });

  test("by two at once ends all once, and each is told and audited", async () => {
    await rig.submitMany(many(3_000));
    const other = await rig.addEngine();
    const stops = await Promise.all([
      rig.engine.operating.stops.begin(ONE, { reason: "one", delaySeconds: 0 }, ADA),
      other.engine.operating.stops.begin(ONE, { reason: "two", delaySeconds: 0 }, BOB),
    ]);
    const over = [];
    for (const { operation } of stops) if (operation) over.push(await ends(operation));
    assert.equal(
      over.reduce((n, { done }) => n + done, 0),
      3_000,
    );
    assert.deepEqual(await states(), { cancelled: 3_000 });
    assert.equal(await marker(), null);
    const audited = await rig.sql`select actor, action, affected from audit_log order by id`;
    const ended = audited.filter(({ action }) => action === "operation.end");
    assert.equal(ended.length, over.length);
    assert.equal(audited.filter(({ action }) => action === "queue.stop").length, over.length);
  });

  test("of which one of two is undone holds by the other", async () => {
    const [id] = await rig.submitMany(many(1));
    const first = await rig.engine.operating.stops.begin(ONE, { delaySeconds: 600 }, ADA);
    const second = await rig.engine.operating.stops.begin(ONE, { delaySeconds: 600 }, BOB);
    assert.ok((await rig.engine.bulk.undo(second.operation!, BOB)).ok);
    assert.notEqual(await marker(), null);
    const worker = await rig.worker();
    const free = await rig.submit({ queue: "b" });
    await rig.until(free, "succeeded");
    assert.equal(worker.assigned.length, 1);
    assert.ok((await rig.engine.bulk.undo(first.operation!, ADA)).ok);
    await rig.until(id!, "succeeded");
  });

  test("of a queue where nothing waits changes nothing, and one that is not there is not found", async () => {
    await rig.worker();
    await rig.until(await rig.submit({ queue: "a" }), "succeeded");
    const stopped = await rig.engine.operating.stops.begin(ONE, {}, ADA);
    assert.deepEqual(stopped, { operation: null, affected: 0, queues: [] });
    assert.equal(await marker(), null);
    assert.equal((await rig.sql`select from audit_log`).length, 0);
    const nothing = { queues: [{ org: "default", queue: "nothing" }] };
    await assert.rejects(rig.engine.operating.stops.begin(nothing, {}, ADA), NotFound);
    await assert.rejects(
      rig.engine.operating.stops.preview({ org: "nowhere", queues: null }),
      NotFound,
    );
  });

  test("of a paused queue leaves it paused, and the preview says how many it would end", async () => {
    await rig.submitMany([...many(3), ...many(2, "b")]);
    await rig.engine.pauseQueue("default", "a", "tester");
    const all = { org: "default", queues: null };
    assert.deepEqual(await rig.engine.operating.stops.preview(all), {
      affected: 5,
      queues: [
        { org: "default", name: "a", affected: 3 },
        { org: "default", name: "b", affected: 2 },
      ],
    });
    const stopped = await rig.engine.operating.stops.begin(all, { delaySeconds: 0 }, ADA);
    assert.equal((await ends(stopped.operation)).done, 5);
    const [queue] = await rig.sql`select paused_at from queue where name = 'a'`;
    assert.notEqual(queue!.paused_at, null);
  });

  test("of everything is one operation, told to each organization that it hit", async () => {
    await rig.submitMany(many(2));
    const everything = { org: null, queues: null };
    const stopped = await rig.engine.operating.stops.begin(everything, { delaySeconds: 0 }, ADA);
    assert.equal((await ends(stopped.operation)).done, 2);
    const rows = await rig.sql`select org_id, action, affected from audit_log order by id`;
    assert.deepEqual(
      rows.map((r) => [r.org_id === null, r.action, r.affected]),
      [
        [true, "queues.stop", 2],
        [false, "queues.stop", 2],
        [true, "operation.end", 2],
      ],
    );
  });

  test("is finished by another server where one dies in the middle, each job once", async () => {
    const ids = await rig.submitMany(many(6_000));
    const other: RigEngine = await rig.addEngine();
    const release = await rig.hold("select from live_job where id = $1 for update", [ids[0]!]);
    const { operation } = await rig.engine.operating.stops.begin(ONE, { delaySeconds: 0 }, ADA);
    await eventually(async () => (await row(operation!)).done === 4_000, "two chunks are done", {
      deadlineMs: 20_000,
    });
    await rig.blocked();
    // The death of a server: its connections go away in the midst of a chunk.
    const dying = rig.engines[0]!.stop();
    await rig.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    await release();
    await dying;
    const over = await ends(operation);
    assert.deepEqual([over.state, over.done], ["done", 6_000]);
    assert.deepEqual(await states(), { cancelled: 6_000 });
    assert.equal(await marker(), null);
    assert.ok(other);
  });
});
