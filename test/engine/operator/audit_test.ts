/** Which change leaves which row in the audit log, and that neither is ever there without the other. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type postgres from "postgres";
import type { Author } from "../../../src/core/author.ts";
import { jobInput } from "../../../src/messages/job_input.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";

const ADA: Author = { name: "Ada", user: "person-1", token: "token-1", address: "192.0.2.7" };

describe("the audit log", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const rows = async () =>
    await rig.sql`select org_id, actor, person_id, token_id, address, action, object_kind as kind,
      object_id as object, reason, affected, before, after from audit_log order by id`;
  const only = async () => {
    const all = await rows();
    assert.equal(all.length, 1, JSON.stringify(all));
    return all[0]!;
  };
  const said = ({ action, kind, object, reason, affected, before, after }: postgres.Row) => ({
    ...{ action, kind, object, reason, affected, before, after },
  });
  const ends = (operation: string) =>
    eventually(async () => {
      const all = await rows();
      return all.find((r) => r.action === "operation.end" && r.after.operation === operation);
    }, "the operation's end has its row");
  const failed = async () => {
    const id = await rig.submit();
    const worker = await rig.worker({ run: (job) => job.start().fail("no") });
    await rig.until(id, "failed");
    worker.drop();
    return id;
  };

  test("a cancelled job's row says who, from where, and what it was", async () => {
    const id = await rig.submit({ name: "resize", queue: "images" });
    await rig.engine.cancelJob(id, ADA, "not needed");
    const row = await only();
    assert.deepEqual(
      { ...row },
      {
        ...{ org_id: 1, actor: "Ada", person_id: "person-1", token_id: "token-1" },
        ...{ address: "192.0.2.7", action: "job.cancel", kind: "job", object: id },
        ...{ reason: "not needed", affected: 1 },
        before: { name: "resize", queue: "images", state: "ready" },
        after: { name: "resize", queue: "images", state: "cancelled" },
      },
    );
  });

  test("asking a running job to stop is a change once, and dependents count", async () => {
    const held = await rig.submit();
    await rig.worker({ run: (job) => void job.start() });
    await rig.until(held, "running");
    await rig.engine.cancelJob(held, ADA);
    await rig.engine.cancelJob(held, ADA);
    const asked = await only();
    assert.equal(asked.before.state, "running");
    assert.deepEqual([asked.after.state, asked.after.cancel_requested], ["running", true]);
    const [first] = await rig.submitMany([{ requirements: { pool: "none" } }]);
    await rig.submit({ depends_on: [first!] });
    await rig.engine.cancelJob(first!, ADA);
    assert.equal((await rows())[1]!.affected, 2);
  });

  test("a retried job's row says what it was before", async () => {
    const id = await failed();
    await rig.engine.retryJob(id, ADA, "again");
    assert.deepEqual(said(await only()), {
      ...{ action: "job.retry", kind: "job", object: id, reason: "again", affected: 1 },
      before: { name: "work", queue: "default", state: "failed" },
      after: { name: "work", queue: "default", state: "ready" },
    });
  });

  test("a workflow's cancel has a row when it is asked, and one when it is done", async () => {
    const { id } = await rig.submitWorkflow([{ key: "a" }, { key: "b", depends_on: ["a"] }]);
    await rig.engine.cancelWorkflow(id, ADA, "wrong commit");
    await rig.workflowState(id, "cancelled");
    const [begin, end, ...more] = await rows();
    assert.equal(more.length, 0);
    const { operation } = begin!.after;
    assert.deepEqual(said(begin!), {
      ...{ action: "workflow.cancel", kind: "workflow", object: id, reason: "wrong commit" },
      ...{ affected: 2, before: { name: "flow", state: "running", cancel_requested: false } },
      after: {
        ...{ name: "flow", state: "running", cancel_requested: true, operation },
        ...{ pending: 2, running: 0 },
      },
    });
    assert.deepEqual(said(end!), {
      ...{ action: "operation.end", kind: "workflow", object: id, reason: "wrong commit" },
      ...{ affected: 2, before: null, after: { operation, state: "done" } },
    });
    assert.deepEqual([end!.actor, end!.address], ["Ada", "192.0.2.7"]);
  });

  test("a cancel of all that match has a row with its filter, and one with how many it reached", async () => {
    const [one] = await rig.submitMany([{ queue: "a" }, { queue: "a" }, { queue: "b" }]);
    const filter = { queue: "a" };
    const { operation } = await rig.engine.bulk.begin(
      { kind: "cancel", org: "default", filter },
      { reason: "storm" },
      ADA,
    );
    const end = await ends(operation!);
    const [begin, , ...more] = await rows();
    assert.equal(more.length, 0);
    assert.deepEqual(said(begin!), {
      ...{ action: "jobs.cancel", kind: "operation", object: operation, reason: "storm" },
      ...{ affected: 2, before: null, after: { operation, filter } },
    });
    assert.deepEqual(said(end), {
      ...{ action: "operation.end", kind: "operation", object: operation, reason: "storm" },
      ...{ affected: 2, before: null, after: { operation, state: "done" } },
    });
    const retry = await rig.engine.bulk.begin(
      { kind: "retry", org: "default", filter: { state: ["cancelled"] } },
      {},
      ADA,
    );
    assert.equal((await ends(retry.operation!)).affected, 2);
    assert.equal((await rows())[2]!.action, "jobs.retry");
    assert.equal(await rig.state(one!), "ready");
  });

  test("an operation that the database refuses for good ends as failed, in the asker's name", async () => {
    await rig.submitMany([{}, {}]);
    await rig.sql`alter table phase_event add constraint no check (reason <> 'poison') not valid`;
    const { operation } = await rig.engine.bulk.begin(
      { kind: "cancel", org: "default", filter: {} },
      { reason: "poison" },
      ADA,
    );
    const end = await eventually(
      async () => (await rows()).find((r) => r.action === "operation.end"),
      "it is given up",
      { deadlineMs: 30_000 },
    );
    assert.deepEqual([end.actor, end.affected, end.object], ["Ada", 0, operation]);
    assert.equal(end.after.state, "failed");
    assert.match(end.after.error, /check constraint/);
  });

  test("switches have a row where they switch, and none where it was so already", async () => {
    await rig.submit({ queue: "images" });
    const { engine } = rig;
    assert.equal(await engine.pauseQueue("default", "images", ADA, "repairs"), true);
    assert.equal(await engine.pauseQueue("default", "images", "other", "me too"), false);
    assert.equal(await engine.pauseQueue("default", "images", ADA, "me too"), false);
    assert.equal(await engine.resumeQueue("default", "images", ADA), true);
    assert.equal(await engine.resumeQueue("default", "images", ADA), false);
    assert.equal(await engine.setDraining(true, ADA), true);
    assert.equal(await engine.setDraining(true, ADA), false);
    assert.equal(await engine.setDraining(false, ADA), true);
    assert.equal(await engine.setDraining(false, ADA), false);
    const queue = { kind: "queue", object: "images", affected: null };
    const instance = { kind: "instance", object: "instance", reason: null, affected: null };
    assert.deepEqual((await rows()).map(said), [
      {
        ...{ action: "queue.pause", ...queue, reason: "repairs" },
        ...{ before: { paused: false }, after: { paused: true } },
      },
      {
        ...{ action: "queue.resume", ...queue, reason: null },
        before: { paused: true, paused_by: "Ada", pause_reason: "repairs" },
        after: { paused: false },
      },
      {
        ...{ action: "instance.drain", ...instance },
        ...{ before: { draining: false }, after: { draining: true } },
      },
      {
        ...{ action: "instance.drain", ...instance },
        before: { draining: true, drained_by: "Ada", drain_reason: null },
        after: { draining: false },
      },
    ]);
    const orgs = (await rows()).map((r) => r.org_id);
    assert.deepEqual(orgs, [1, 1, null, null]);
  });

  test("a worker is asked to drain once", async () => {
    const uid = crypto.randomUUID();
    await rig.worker({ uid, run: (job) => void job.start() });
    await rig.until(await rig.submit(), "running");
    assert.equal(await rig.engine.drainWorker(uid, ADA), true);
    assert.equal(await rig.engine.drainWorker(uid, ADA), true);
    assert.equal(await rig.engine.drainWorker(crypto.randomUUID(), ADA), false);
    const row = await only();
    assert.deepEqual([row.action, row.kind, row.object], ["worker.drain", "worker", uid]);
    assert.deepEqual([row.before.draining, row.after.draining], [false, true]);
    assert.equal(row.after.name, row.before.name);
  });

  test("of many who ask for the same at once, one changes it and has the row", async () => {
    await rig.addEngine();
    const waits = await rig.submit({ requirements: { pool: "none" } });
    const asks = Array.from({ length: 12 }, (_, i) => ({
      engine: rig.engines[i % 2]!.engine,
      author: { ...ADA, name: `person ${i}` },
    }));
    const paused = await Promise.all(
      asks.map(({ engine, author }) => engine.pauseQueue("default", "default", author)),
    );
    assert.equal(paused.filter((changed) => changed).length, 1);
    const [queue] = await rig.sql`select paused_by from queue where name = 'default'`;
    assert.equal((await only()).actor, queue!.paused_by);
    const cancelled = await Promise.all(
      asks.map(({ engine, author }) => engine.cancelJob(waits, author)),
    );
    assert.equal(cancelled.filter(({ ok }) => ok).length, 1);
    const retried = await Promise.all(
      asks.map(({ engine, author }) => engine.retryJob(waits, author)),
    );
    assert.equal(retried.filter(({ ok }) => ok).length, 1);
    const actions = (await rows()).map((row) => row.action);
    assert.deepEqual(actions, ["queue.pause", "job.cancel", "job.retry"]);
  });

  test("what changes nothing leaves nothing, and neither do submissions, jobs and the system", async () => {
    const id = await failed();
    const { engine } = rig;
    const nowhere = crypto.randomUUID();
    assert.equal((await engine.cancelJob(id, ADA)).ok, false);
    assert.equal((await engine.cancelJob(nowhere, ADA)).ok, false);
    assert.equal((await engine.retryJob(nowhere, ADA)).ok, false);
    assert.equal((await engine.cancelWorkflow(nowhere, ADA)).ok, false);
    await engine.bulk.preview({ kind: "cancel", org: "default", filter: {} });
    await assert.rejects(engine.pauseQueue("default", "nowhere", ADA), /no queue/);
    const fresh = await rig.submit();
    assert.equal((await engine.retryJob(fresh, ADA)).ok, false);
    await engine.cancelJob(fresh, "system");
    await engine.retryJob(fresh, "system");
    await engine.setDraining(true, "system");
    await engine.submitJobs("default", [jobInput.parse({ name: "x", kind: "handler" })], ADA);
    assert.equal((await rows()).length, 0);
    const [event] = await rig.sql`select actor from phase_event where actor = 'Ada'`;
    assert.equal(event!.actor, "Ada");
  });

  test("a change that cannot commit leaves no row, and one without its row is not made", async () => {
    const { engine } = rig;
    const bad = await failed();
    const waits = await rig.submit({ requirements: { pool: "none" } });
    const { id: flow } = await rig.submitWorkflow([{ key: "a", requirements: { pool: "none" } }]);
    const uid = crypto.randomUUID();
    await rig.worker({ uid });
    const state = async () => ({
      jobs: await rig.sql`select id, state, cancel_requested_at from live_job order by id`,
      ends: await rig.sql`select job_id, state from job_end order by job_id`,
      flows: await rig.sql`select id, state, cancel_requested_at from workflow`,
      queues: await rig.sql`select name, paused_at from queue order by id`,
      settings: await rig.sql`select key, value from setting order by key`,
      drained: await rig.sql`select id from worker_connection where draining`,
      operations: await rig.sql`select id from operation`,
      audit: await rows(),
    });
    const before = await state();
    // Everything is written, and then the commit fails.
    await rig.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no commit today' using errcode = 'check_violation'; end $$;
      create constraint trigger refuse after insert on audit_log deferrable initially deferred
        for each row execute function refuse()`);
    const changes = [
      () => engine.cancelJob(waits, ADA),
      () => engine.retryJob(bad, ADA),
      () => engine.cancelWorkflow(flow, ADA),
      () => engine.bulk.begin({ kind: "cancel", org: "default", filter: {} }, {}, ADA),
      () => engine.bulk.begin({ kind: "retry", org: "default", filter: {} }, {}, ADA),
      () => engine.pauseQueue("default", "default", ADA),
      () => engine.setDraining(true, ADA),
      () => engine.drainWorker(uid, ADA),
    ];
    for (const change of changes) {
      await assert.rejects(async () => void (await change()), /no commit today/);
    }
    assert.deepEqual(await state(), before);
    await engine.pauseQueue("default", "default", "system");
    await assert.rejects(engine.resumeQueue("default", "default", ADA), /no commit today/);
    const [queue] = await rig.sql`select paused_by from queue where name = 'default'`;
    assert.equal(queue!.paused_by, "system");
  });

  test("nobody changes or removes a row, the owner of the table neither", async () => {
    await rig.engine.setDraining(true, ADA);
    const [owner] = await rig.sql`
      select tableowner = current_user as owns from pg_tables where tablename = 'audit_log'`;
    assert.equal(owner!.owns, true);
    for (const statement of [
      "update audit_log set actor = 'nobody'",
      "update audit_log set actor = 'nobody' where false",
      "delete from audit_log",
      "truncate audit_log",
      "truncate audit_log, setting cascade",
      `insert into audit_log (id, actor, action, object_kind, object_id) overriding system value
         select id, 'x', 'x', 'x', 'x' from audit_log
         on conflict (id) do update set actor = excluded.actor`,
    ]) {
      await assert.rejects(rig.sql.unsafe(statement), /audit_log is append-only/, statement);
    }
    assert.equal((await only()).actor, "Ada");
  });
});
