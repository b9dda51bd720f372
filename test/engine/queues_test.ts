import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { NotFound } from "../../src/engine/engine.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

describe("queues", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const hold = (job: HeldJob) => job.start();
  const many = (n: number, queue = "default") => Array.from({ length: n }, () => ({ queue }));

  const heldNow = async () =>
    (await rig.sql`select count(*)::int as n from live_job where session_id is not null`)[0]!.n;

  /** Sets what an operator may set; the engine reads it by itself. */
  async function limit(queue: string, row: { concurrency?: number; rate?: [number, number] }) {
    const [count, seconds] = row.rate ?? [null, null];
    await rig.sql`
      insert into queue_limit (queue_id, concurrency, rate_count, rate_seconds, tokens)
      select id, ${row.concurrency ?? null}, ${count}, ${seconds}, ${count ?? 0} from queue
      where name = ${queue}`;
  }

  test("a paused queue gives nothing, others go on, and resumed it goes on too", async () => {
    const [first] = await rig.submitMany(many(1, "slow"));
    await rig.engine.pauseQueue("default", "slow", "tester", "repairs");
    const worker = await rig.worker();
    const other = await rig.submit({ queue: "fast" });
    await rig.until(other, "succeeded");
    assert.equal(await rig.state(first!), "ready");
    await rig.engine.resumeQueue("default", "slow", "tester");
    await rig.until(first!, "succeeded");
    assert.equal(worker.assigned.length, 2);
  });

  test("after the answer to a pause nothing more of the queue starts, on any server", async () => {
    const other = await rig.addEngine();
    await rig.submitMany(many(400));
    const run = (job: HeldJob) => {
      started += 1;
      job.start().succeed();
    };
    let started = 0;
    await rig.worker({ concurrency: 5, run });
    await rig.worker({ concurrency: 5, run }, other.engine);
    await eventually(() => started > 20, "both are at work");
    await rig.engine.pauseQueue("default", "default", "tester");
    const [before] = await rig.sql`select max(attempt) as n, count(*)::int as left from live_job
      where state = 'ready'`;
    await eventually(async () => (await heldNow()) === 0, "what was held has ended");
    const [after] = await rig.sql`select count(*)::int as left from live_job where state = 'ready'`;
    assert.equal(after!.left, before!.left);
    assert.ok(after!.left > 0);
    await other.engine.resumeQueue("default", "default", "tester");
    await eventually(
      async () => (await rig.sql`select count(*)::int as n from live_job`)[0]!.n === 0,
      "all end",
    );
  });

  test("a pause waits for the leases that are on their way", async () => {
    const id = await rig.submit();
    const [queue] = await rig.sql`select id from queue where name = 'default'`;
    // A lease beat that has locked the queue and not committed.
    const release = await rig.hold("select from queue where id = $1 for share", [
      String(queue!.id),
    ]);
    let paused = false;
    const pausing = rig.engine.pauseQueue("default", "default", "tester").then(() => {
      paused = true;
    });
    await rig.blocked();
    assert.equal(paused, false);
    await release();
    await pausing;
    await rig.worker();
    assert.equal(await rig.state(id), "ready");
  });

  test("a queue that does not exist cannot be paused", async () => {
    await assert.rejects(rig.engine.pauseQueue("default", "nothing", "t"), NotFound);
    await assert.rejects(rig.engine.pauseQueue("nowhere", "default", "t"), NotFound);
  });

  test("a drained instance leases nothing on any server until it is undrained", async () => {
    const other = await rig.addEngine();
    await rig.engine.setDraining(true, "tester");
    const id = await rig.submit();
    const worker = await rig.worker({}, other.engine);
    const explanation = await other.engine.explain(id);
    assert.deepEqual(
      explanation!.vetoes.map((v) => v.rule),
      ["instance_draining"],
    );
    assert.equal(worker.assigned.length, 0);
    await rig.engine.setDraining(false, "tester");
    await rig.until(id, "succeeded");
  });

  test("no more jobs of a queue run at once than its limit, whoever runs them", async () => {
    const other = await rig.addEngine();
    await rig.submitMany(many(1, "narrow"));
    await limit("narrow", { concurrency: 3 });
    let most = 0;
    const running = new Set<string>();
    const run = (job: HeldJob) => {
      running.add(job.lease.token);
      most = Math.max(most, running.size);
      job.start();
      setTimeout(() => {
        running.delete(job.lease.token);
        job.succeed();
      }, 3);
    };
    await rig.worker({ concurrency: 30, run });
    await rig.worker({ concurrency: 30, run }, other.engine);
    await Promise.all([
      rig.submitMany(many(60, "narrow")),
      rig.submitMany(many(60, "narrow"), other.engine),
    ]);
    await eventually(
      async () => (await rig.sql`select count(*)::int as n from live_job`)[0]!.n === 0,
      "all end",
      { deadlineMs: 25_000 },
    );
    assert.equal(most, 3);
  });

  test("a limit holds from the moment it is written, before any server has read it", async () => {
    await rig.submitMany(many(1, "narrow"));
    const worker = await rig.worker({ concurrency: 50, run: hold });
    await eventually(() => worker.running.size === 1, "the queue is known and has no limit");
    await limit("narrow", { concurrency: 2 });
    await rig.submitMany(many(20, "narrow"));
    await eventually(() => worker.running.size === 2, "one more");
    assert.equal(await heldNow(), 2);
    for (const job of [...worker.running.values()]) job.succeed();
    await eventually(() => worker.assigned.length === 4, "two more");
    assert.equal(await heldNow(), 2);
  });

  test("a limited queue does not hold up another one", async () => {
    await rig.submitMany(many(200, "narrow"));
    await limit("narrow", { concurrency: 1 });
    const worker = await rig.worker({ concurrency: 4, run: hold });
    const wide = await rig.submitMany(many(3, "wide"));
    for (const id of wide) (await worker.held(id)).succeed();
    for (const id of wide) await rig.until(id, "succeeded");
  });

  test("no more jobs of a queue start in a time than its rate allows", async () => {
    await rig.submitMany(many(1, "rated"));
    await limit("rated", { rate: [5, 1] });
    const other = await rig.addEngine();
    const starts: number[] = [];
    const run = (job: HeldJob) => {
      starts.push(performance.now());
      job.start().succeed();
    };
    await rig.worker({ concurrency: 20, run });
    await rig.worker({ concurrency: 20, run }, other.engine);
    await rig.submitMany(many(14, "rated"));
    await eventually(() => starts.length === 15, "all start", { deadlineMs: 20_000 });
    const seconds = (starts[14]! - starts[0]!) / 1000;
    // Five at once, and the other ten at five a second.
    assert.ok(seconds > 1.7, `15 jobs started within ${seconds} s`);
    assert.ok(seconds < 8, `it took ${seconds} s`);
  });
});
