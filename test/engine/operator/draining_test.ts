import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Author } from "../../../src/core/author.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import type { HeldJob } from "../../support/inline_worker.ts";

const ADA: Author = { name: "Ada", user: "person-1", token: null, address: null };

describe("draining the instance", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.bare();
  });
  afterEach(() => rig.stop());

  const isDraining = async () =>
    (await rig.sql`select value from setting where key = 'draining'`)[0]!.value as boolean;
  const drains = async () =>
    await rig.sql`select actor, reason, before, after from audit_log
      where action = 'instance.drain' order by id`;

  test("waits for the leases that are on their way, and then nothing more is assigned", async () => {
    const one = await rig.addEngine();
    const two = await rig.addEngine();
    const id = await rig.submit({ requirements: { pool: "late" } });
    // A lease beat that has seen the switch off and not committed.
    const release = await rig.hold("select from setting where key = 'draining' for share");
    let answered = false;
    const draining = one.engine.setDraining(true, ADA).then(() => {
      answered = true;
    });
    await rig.blocked();
    assert.equal(answered, false);
    await release();
    await draining;
    const worker = await rig.worker({ pool: "late" }, two.engine);
    const [explained] = (await two.engine.explain(id))!.vetoes;
    assert.equal(explained?.rule, "instance_draining");
    assert.equal(worker.assigned.length, 0);
    assert.equal(await rig.state(id), "ready");
  });

  test("under load on two servers no job is dispatched after the answer; ended, all go on at once", async () => {
    const one = await rig.addEngine();
    const two = await rig.addEngine();
    await rig.submitMany(Array.from({ length: 600 }, () => ({})));
    let started = 0;
    const run = (job: HeldJob) => {
      started += 1;
      job.start().succeed();
    };
    await rig.worker({ concurrency: 5, run }, one.engine);
    await rig.worker({ concurrency: 5, run }, two.engine);
    await eventually(() => started > 20, "both are at work");
    await two.engine.setDraining(true, ADA, "repairs");
    const dispatches = async () =>
      (await rig.sql`select count(*)::int as n from phase_event where state = 'dispatched'`)[0]!.n;
    const before = await dispatches();
    await eventually(
      async () => (await rig.sql`select 1 from live_job where session_id is not null`).length === 0,
      "what was held has ended",
    );
    assert.equal(await dispatches(), before);
    assert.ok(before < 600);
    await one.engine.setDraining(false, ADA);
    await eventually(async () => (await rig.sql`select 1 from live_job`).length === 0, "all end");
    assert.equal(await dispatches(), 600);
  });

  test("outlives a server while another is alive", async () => {
    const one = await rig.addEngine();
    const two = await rig.addEngine();
    await one.engine.setDraining(true, ADA);
    await one.stop();
    const three = await rig.addEngine();
    assert.equal(await isDraining(), true);
    await two.stop();
    await three.stop();
    assert.equal(await isDraining(), true, "a stop ends nothing");
  });

  test("ends where a server starts and no other is alive, as that server's act", async () => {
    const one = await rig.addEngine();
    await one.engine.setDraining(true, ADA, "repairs");
    const id = await rig.submit({}, one.engine);
    await one.stop();
    assert.equal(await isDraining(), true);
    const two = await rig.addEngine();
    assert.equal(await isDraining(), false);
    await rig.worker({}, two.engine);
    await rig.until(id, "succeeded");
    assert.ok(two.logs.some(({ level, message }) => level === "warn" && /drained/.test(message)));
    const [, reset] = await drains();
    assert.deepEqual(
      [reset!.actor, reset!.reason],
      ["server", "A server started, and no other was alive."],
    );
    assert.deepEqual(reset!.before, { draining: true, drained_by: "Ada", drain_reason: "repairs" });
  });

  test("a server that died a moment ago is waited for, and its draining ends with it", async () => {
    const one = await rig.addEngine();
    await one.engine.setDraining(true, ADA);
    await one.stop();
    // As a crash leaves it: the row is there, and fresh.
    await rig.sql`insert into replica (id, address, started_at, seen_at)
      values (gen_random_uuid(), 'crashed', now() - interval '1 hour', now())`;
    await rig.addEngine();
    assert.equal(await isDraining(), true, "it may live still");
    await rig.sql`update replica set seen_at = now() - interval '11 seconds' where address = 'crashed'`;
    await eventually(async () => !(await isDraining()), "it ends");
  });

  test("one that is switched on after a server's start is not its to end", async () => {
    await rig.sql`insert into replica (id, address, started_at, seen_at)
      values (gen_random_uuid(), 'crashed', now() - interval '1 hour', now())`;
    const one = await rig.addEngine();
    await one.engine.setDraining(true, ADA);
    await rig.sql`update replica set seen_at = now() - interval '11 seconds' where address = 'crashed'`;
    const [before] = await rig.sql`select seen_at from replica where id = ${one.engine.replicaId}`;
    await eventually(async () => {
      const [now] = await rig.sql`select seen_at from replica where id = ${one.engine.replicaId}`;
      return now!.seen_at > before!.seen_at;
    }, "time goes on");
    assert.equal(await isDraining(), true);
  });
});
