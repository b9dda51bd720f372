import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { InvalidInput, NotFound } from "../../src/engine/engine.ts";
import { workflowJobInput } from "../../src/messages/job_input.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const NOBODY = "00000000-0000-7000-8000-000000000000";

describe("workflows", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const hold = (job: HeldJob) => job.start();
  const holding = () => rig.worker({ concurrency: 50, run: hold });
  const job = (key: string, more: object = {}) =>
    workflowJobInput.parse({ key, name: "work", kind: "handler", ...more });
  const plain = (key: string, more: object = {}) => ({
    key,
    name: "work",
    kind: "handler" as const,
    ...more,
  });
  const row = async (id: string) => (await rig.sql`select * from workflow where id = ${id}`)[0]!;

  /** Soon, not with the sweep that finds what was forgotten. */
  const settles = (id: string, state: string) =>
    eventually(async () => (await row(id)).state === state, `workflow ${id} is ${state}`, {
      deadlineMs: 5_000,
    });

  test("a workflow runs in the order of its dependencies and succeeds with its last job", async () => {
    const order: string[] = [];
    await rig.worker({
      run: (held) => {
        order.push(held.id);
        held.start().succeed();
      },
    });
    const flow = await rig.submitWorkflow([
      { key: "report", depends_on: ["left", "right"] },
      { key: "left", depends_on: ["fetch"] },
      { key: "right", depends_on: ["fetch"] },
      { key: "fetch" },
    ]);
    await settles(flow.id, "succeeded");
    assert.equal(order[0], flow.jobs.fetch);
    assert.equal(order[3], flow.jobs.report);
    assert.ok((await row(flow.id)).finished_at);
  });

  test("inputs come by the keys of the workflow", async () => {
    const worker = await rig.worker({
      run: (held) => held.start().succeed({ inputs: held.assignment.inputs ?? null }),
    });
    const before = await rig.submit();
    await rig.until(before, "succeeded");
    const flow = await rig.submitWorkflow([
      { key: "a" },
      { key: "b", depends_on: ["a", { job: before }] },
    ]);
    await settles(flow.id, "succeeded");
    const last = worker.assigned.find((held) => held.id === flow.jobs.b)!;
    assert.deepEqual(
      { ...last.assignment.inputs },
      {
        a: { inputs: null },
        [before]: { inputs: null },
      },
    );
  });

  test("naming a dependency twice is naming it once", async () => {
    await rig.worker();
    const flow = await rig.submitWorkflow([{ key: "a" }, { key: "b", depends_on: ["a", "a"] }]);
    await settles(flow.id, "succeeded");
  });

  test("a failure fails the workflow once all else has ended, a cancel cancels it", async () => {
    const worker = await holding();
    const failed = await rig.submitWorkflow([{ key: "a" }, { key: "b" }]);
    (await worker.held(failed.jobs.a!)).fail();
    await rig.until(failed.jobs.a!, "failed");
    assert.equal((await row(failed.id)).state, "running");
    (await worker.held(failed.jobs.b!)).succeed();
    await settles(failed.id, "failed");
    const cancelled = await rig.submitWorkflow([{ key: "a" }, { key: "b" }]);
    (await worker.held(cancelled.jobs.a!)).succeed();
    const b = await worker.held(cancelled.jobs.b!);
    await rig.engine.cancelJob(cancelled.jobs.b!, "tester");
    b.cancelled();
    await settles(cancelled.id, "cancelled");
  });

  test("circles, unknown and repeated keys are refused, and nothing is kept", async () => {
    const wrong = [
      [
        { key: "a", depends_on: ["b"] },
        { key: "b", depends_on: ["a"] },
      ],
      [{ key: "a", depends_on: ["nobody"] }],
      [{ key: "a" }, { key: "a" }],
      [{ key: "a", depends_on: ["a"] }],
      [{ key: "a", depends_on: [{ job: NOBODY }] }],
    ];
    for (const jobs of wrong) {
      await assert.rejects(rig.submitWorkflow(jobs), InvalidInput, JSON.stringify(jobs));
    }
    await assert.rejects(rig.submitWorkflow([]), InvalidInput);
    const [kept] = await rig.sql`
      select (select count(*) from job)::int as jobs, (select count(*) from workflow)::int as flows`;
    assert.deepEqual([kept!.jobs, kept!.flows], [0, 0]);
  });

  test("a workflow all of whose jobs fail at their submission is over at once", async () => {
    await rig.worker({ run: (held) => held.start().fail() });
    const bad = await rig.submit();
    await rig.until(bad, "failed");
    const flow = await rig.submitWorkflow([
      { key: "a", depends_on: [{ job: bad }] },
      { key: "b", depends_on: ["a"] },
    ]);
    await settles(flow.id, "failed");
  });

  test("an open workflow waits for more, takes it, and ends after it is closed", async () => {
    await rig.worker();
    const flow = await rig.submitWorkflow([{ key: "a" }], { open: true });
    await rig.until(flow.jobs.a!, "succeeded");
    const more = await rig.engine.addToWorkflow(
      flow.id,
      [job("b", { depends_on: ["a"] })],
      {},
      "tester",
    );
    await rig.until(more.jobs.b!, "succeeded");
    assert.equal((await row(flow.id)).state, "open");
    await rig.engine.addToWorkflow(flow.id, [], { close: true }, "tester");
    await settles(flow.id, "succeeded");
    await assert.rejects(
      rig.engine.addToWorkflow(flow.id, [job("c")], {}, "tester"),
      /only an open workflow/,
    );
    await assert.rejects(rig.engine.addToWorkflow(NOBODY, [job("c")], {}, "tester"), NotFound);
  });

  test("a key that an open workflow has already is refused", async () => {
    const flow = await rig.submitWorkflow([{ key: "a" }], { open: true });
    await assert.rejects(rig.engine.addToWorkflow(flow.id, [job("a")], {}, "t"), InvalidInput);
    await rig.engine.addToWorkflow(flow.id, [], { close: true }, "tester");
  });

  test("a running job adds jobs to its workflow, and a repeated batch adds nothing", async () => {
    const worker = await holding();
    const flow = await rig.submitWorkflow([{ key: "evaluate" }]);
    const evaluate = await worker.held(flow.jobs.evaluate!);
    const batch = [plain("x"), plain("y", { depends_on: ["x", "evaluate"] })];
    const first = await evaluate.submit("one", batch);
    assert.deepEqual(Object.keys(first.ids!), ["x", "y"]);
    const again = await evaluate.submit("one", batch);
    assert.deepEqual(again.ids, first.ids);
    const [count] = await rig.sql`select count(*)::int as n from job`;
    assert.equal(count!.n, 3);
    (await worker.held(first.ids!.x!)).succeed();
    evaluate.succeed();
    (await worker.held(first.ids!.y!)).succeed();
    await settles(flow.id, "succeeded");
  });

  test("two repeats of a batch at once add its jobs once", async () => {
    const worker = await holding();
    const flow = await rig.submitWorkflow([{ key: "evaluate" }]);
    const evaluate = await worker.held(flow.jobs.evaluate!);
    await rig.until(flow.jobs.evaluate!, "running");
    // As after a reconnect: the worker does not know whether the first one arrived.
    worker.say({ type: "submit", ...evaluate.lease, batch: "b", jobs: [job("x")] });
    const answer = await evaluate.submit("b", [plain("x")]);
    const [count] = await rig.sql`select count(*)::int as n from job`;
    assert.equal(count!.n, 2);
    evaluate.succeed();
    (await worker.held(answer.ids!.x!)).succeed();
    await settles(flow.id, "succeeded");
  });

  test("a job without a workflow that adds jobs gets one of its own", async () => {
    const worker = await holding();
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    const { ids } = await held.submit("b", [plain("x")]);
    const [flow] = await rig.sql`select workflow_id from workflow_job where job_id = ${id}`;
    held.succeed();
    (await worker.held(ids!.x!)).succeed();
    await settles(flow!.workflow_id, "succeeded");
  });

  test("a batch with a payload that is too large is refused by itself, and says which", async () => {
    const worker = await holding();
    const flow = await rig.submitWorkflow([{ key: "evaluate" }]);
    const evaluate = await worker.held(flow.jobs.evaluate!);
    const large = plain("large", { payload: "x".repeat(256 * 1024) });
    const deep = plain("deep", { payload: JSON.parse(`${"[".repeat(65)}${"]".repeat(65)}`) });
    const answers = await Promise.all([
      evaluate.submit("one", [plain("small"), large]),
      evaluate.submit("two", [deep]),
      evaluate.submit("three", [plain("fits", { payload: "x".repeat(256 * 1024 - 2) })]),
    ]);
    assert.match(answers[0]!.error!, /payload of large .* larger than 262144 bytes/);
    assert.match(answers[1]!.error!, /payload of deep .* nested deeper/);
    assert.deepEqual(Object.keys(answers[2]!.ids!), ["fits"]);
    const [count] = await rig.sql`select count(*)::int as n from workflow_job`;
    assert.equal(count!.n, 2);
    // The name is free for a better payload.
    assert.ok((await evaluate.submit("four", [plain("large")])).ids!.large);
  });

  test("a job adds nothing after its end, and the reason is said", async () => {
    const worker = await holding();
    const flow = await rig.submitWorkflow([{ key: "a" }]);
    const held = await worker.held(flow.jobs.a!);
    await rig.until(flow.jobs.a!, "running");
    held.succeed();
    const late = await held.submit("late", [plain("x")]);
    assert.ok(late.error && late.ids === undefined);
    const wrong = await rig.submitWorkflow([{ key: "a" }]);
    const other = await worker.held(wrong.jobs.a!);
    const refused = await other.submit("bad", [plain("x", { depends_on: ["nobody"] })]);
    assert.match(refused.error!, /nobody/);
    other.succeed();
    await settles(wrong.id, "succeeded");
  });

  test("what a job submits before it ends is never lost between the two", async () => {
    const worker = await rig.worker({ concurrency: 60, run: hold });
    const flows = await Promise.all(
      Array.from({ length: 20 }, () => rig.submitWorkflow([{ key: "evaluate" }])),
    );
    await Promise.all(
      flows.map(async (flow) => {
        const held = await worker.held(flow.jobs.evaluate!);
        const adding = held.submit("b", [plain("x")]);
        held.succeed();
        const { ids, error } = await adding;
        if (ids) (await worker.held(ids.x!)).succeed();
        else assert.ok(error);
      }),
    );
    for (const flow of flows) await settles(flow.id, "succeeded");
  });

  test("a cancel of a workflow ends all of it, and says how much it touched", async () => {
    const worker = await rig.worker({
      run: (held) => {
        held.onCancel = () => held.cancelled();
        held.start();
      },
    });
    const flow = await rig.submitWorkflow([
      { key: "a" },
      { key: "b", depends_on: ["a"] },
      { key: "c", run_at: "2999-01-01T00:00:00Z" },
    ]);
    await worker.held(flow.jobs.a!);
    assert.deepEqual(await rig.engine.cancelWorkflow(flow.id, "tester", "stop"), {
      ok: true,
      affected: 3,
      pending: 2,
      running: 1,
    });
    await settles(flow.id, "cancelled");
    const again = await rig.engine.cancelWorkflow(flow.id, "tester");
    assert.ok(!again.ok && again.code === "conflict");
    const nothing = await rig.engine.cancelWorkflow(NOBODY, "tester");
    assert.ok(!nothing.ok && nothing.code === "not_found");
  });

  test("a cancelled workflow takes no more jobs, from nobody", async () => {
    const worker = await holding();
    const flow = await rig.submitWorkflow([{ key: "a" }], { open: true });
    const held = await worker.held(flow.jobs.a!);
    await rig.until(flow.jobs.a!, "running");
    await rig.engine.cancelWorkflow(flow.id, "tester");
    const answer = await held.submit("b", [plain("x")]);
    assert.match(answer.error!, /cancel/);
    await assert.rejects(rig.engine.addToWorkflow(flow.id, [job("y")], {}, "t"), InvalidInput);
    held.cancelled();
    await settles(flow.id, "cancelled");
  });

  test("an open workflow without jobs is cancelled at once", async () => {
    const flow = await rig.submitWorkflow([], { open: true });
    await rig.engine.cancelWorkflow(flow.id, "tester");
    await settles(flow.id, "cancelled");
  });

  test("a cancel spares what another workflow still needs, and the last one takes it", async () => {
    const worker = await holding();
    const shared = { key: "shared", dedupe_key: "shared" };
    const one = await rig.submitWorkflow([shared, { key: "a", depends_on: ["shared"] }]);
    const two = await rig.submitWorkflow([shared, { key: "b", depends_on: ["shared"] }]);
    const held = await worker.held(one.jobs.shared!);
    await rig.until(held.id, "running");
    const first = await rig.engine.cancelWorkflow(one.id, "tester");
    assert.deepEqual(first, { ok: true, affected: 1, pending: 1, running: 0 });
    assert.equal(await rig.state(one.jobs.a!), "cancelled");
    assert.equal(held.cancelReason, undefined);
    // It runs on for the other: the first one has ended when it has.
    const second = await rig.engine.cancelWorkflow(two.id, "tester");
    assert.deepEqual(second, { ok: true, affected: 2, pending: 1, running: 1 });
    await eventually(() => held.cancelReason !== undefined, "now it is asked");
    held.cancelled();
    await settles(one.id, "cancelled");
    await settles(two.id, "cancelled");
  });

  test("a cancel that its server did not live to finish is carried out by another", async () => {
    const jobs = Array.from({ length: 4_500 }, (_, at) => ({ key: `k${at}` }));
    const flow = await rig.submitWorkflow(jobs);
    const kept = await rig.submitWorkflow([{ key: "other" }]);
    // The cancel's first chunk waits for this job's row, and there its server dies.
    const release = await rig.hold("select id from live_job where id = $1 for update", [
      flow.jobs.k4499!,
    ]);
    const asked = rig.engine.cancelWorkflow(flow.id, "tester", "no need").catch(() => {});
    await rig.blocked();
    await rig.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'signalbox engine'`;
    await rig.engines[0]!.stop();
    await asked;
    await release();
    await rig.addEngine();
    await rig.workflowState(flow.id, "cancelled");
    const [row] = await rig.sql`select * from operation`;
    assert.deepEqual([row!.kind, row!.affected, row!.done], ["cancel_workflow", 4_500, 4_500]);
    assert.equal((await rig.end(flow.jobs.k0!)).reason, "no need");
    assert.equal(await rig.state(kept.jobs.other!), "ready");
  });

  test("thousands of jobs in one workflow are made, counted and cancelled", async () => {
    const jobs = Array.from({ length: 5_000 }, (_, at) => ({
      key: `k${at}`,
      depends_on: at < 100 ? [] : [`k${at - 100}`],
    }));
    const flow = await rig.submitWorkflow(jobs);
    const answer = await rig.engine.cancelWorkflow(flow.id, "tester");
    assert.ok(answer.ok && answer.affected === 5_000);
    await rig.workflowState(flow.id, "failed", "cancelled");
  });

  test("a job that joins a workflow while its dependency ends is counted there", async () => {
    const worker = await holding();
    const [good, bad] = await rig.submitMany([{}, {}]);
    const joins = await rig.submitMany([
      { depends_on: [good!], dedupe_key: "a" },
      { depends_on: [bad!], dedupe_key: "b" },
    ]);
    const ends = [await worker.held(good!), await worker.held(bad!)];
    // It has joined them, and waits; then the end of what they wait for waits for them.
    const release = await rig.hold("lock table workflow_job in share mode");
    const submitting = rig.submitWorkflow([
      { key: "x", dedupe_key: "a" },
      { key: "y", dedupe_key: "b" },
    ]);
    await rig.blocked();
    ends[0]!.succeed();
    ends[1]!.fail();
    await rig.blocked(2);
    await release();
    const flow = await submitting;
    await rig.until(joins[1]!, "dependency_failed");
    (await worker.held(joins[0]!)).succeed();
    await settles(flow.id, "failed");
  });
});
