import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import postgres from "postgres";
import { InvalidInput } from "../../src/engine/engine.ts";
import { jobInput } from "../../src/messages/job_input.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

describe("dedupe keys", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const hold = (job: HeldJob) => job.start();
  const keyed = (dedupe_key: string, more: object = {}) =>
    jobInput.parse({ name: "work", kind: "handler", dedupe_key, ...more });
  const submit = (inputs: ReturnType<typeof keyed>[], org = "default", engine = rig.engine) =>
    engine.submitJobs(org, inputs, "tester");

  test("a key that is just being taken away is given to one of those who wait for it", async () => {
    const [first] = await submit([keyed("k")]);
    await rig.engine.cancelJob(first!.id, "tester");
    const other = postgres(rig.url, { max: 1, onnotice: () => {} });
    let remove = () => {};
    const locked = new Promise<void>((done) => {
      remove = done;
    });
    const pruning = other.begin(async (tx) => {
      // As the pruner does, whose second statement starts late where it has locked thousands.
      await tx`select from job_key where key = 'k' for update`;
      await locked;
      await tx`delete from job_key where key = 'k'`;
    });
    await eventually(async () => {
      const [row] = await rig.sql`
        select count(*)::int as n from pg_stat_activity where datname = current_database()
          and state = 'idle in transaction' and query like 'select from job_key%'`;
      return row!.n === 1;
    }, "the pruner holds the key");
    const waiting = [1, 2, 3, 4].map(() => submit([keyed("k")]));
    await rig.blocked(4);
    remove();
    await pruning;
    const answers = (await Promise.all(waiting)).map(([one]) => one!);
    assert.equal(new Set(answers.map((a) => a.id)).size, 1);
    assert.equal(answers.filter((a) => a.created).length, 1);
    await other.end();
  });

  test("a key names one job until that job has ended", async () => {
    const worker = await rig.worker({ run: hold });
    const [first] = await submit([keyed("nightly")]);
    const [second] = await submit([keyed("nightly")]);
    assert.deepEqual(second, { id: first!.id, created: false });
    const held = await worker.held(first!.id);
    assert.deepEqual((await submit([keyed("nightly")]))[0], { id: first!.id, created: false });
    held.succeed();
    await rig.until(first!.id, "succeeded");
    const [third] = await submit([keyed("nightly")]);
    assert.equal(third!.created, true);
    assert.notEqual(third!.id, first!.id);
  });

  test("a key belongs to its organization", async () => {
    await rig.sql`insert into org (name) values ('other')`;
    const [ours] = await submit([keyed("same")]);
    const [theirs] = await submit([keyed("same")], "other");
    assert.ok(ours!.created && theirs!.created && ours!.id !== theirs!.id);
  });

  test("in one submission the first with a key is made, the others are it", async () => {
    const made = await submit([keyed("a"), keyed("b"), keyed("a"), keyed("a")]);
    assert.deepEqual(
      made.map((m) => m.created),
      [true, true, false, false],
    );
    assert.equal(new Set(made.map((m) => m.id)).size, 2);
  });

  test("of many submissions at once with one key, one makes the job", async () => {
    const other = await rig.addEngine();
    for (let round = 0; round < 5; round++) {
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          submit([keyed(`race-${round}`)], "default", at % 2 ? rig.engine : other.engine),
        ),
      );
      const created = made.flat().filter((m) => m.created);
      assert.equal(created.length, 1, `round ${round}`);
      assert.equal(new Set(made.flat().map((m) => m.id)).size, 1);
    }
  });

  test("submissions that name the same keys in other orders do not hold each other up", async () => {
    const names = Array.from({ length: 40 }, (_, at) => `k${at}`);
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, at) => {
        const turned = [...names.slice(at * 3), ...names.slice(0, at * 3)];
        return submit((at % 2 ? turned : turned.reverse()).map((name) => keyed(name)));
      }),
    );
    assert.equal(results.flat().filter((r) => r.created).length, names.length);
  });

  test("a key that races with the end of its job names a live job or a new one, never a dead one", async () => {
    const worker = await rig.worker({ concurrency: 50, run: hold });
    let last = (await submit([keyed("busy")]))[0]!;
    for (let round = 0; round < 15; round++) {
      const held = await worker.held(last.id);
      held.succeed();
      const [next] = await submit([keyed("busy")]);
      if (next!.created) assert.notEqual(next!.id, last.id);
      else assert.equal(next!.id, last.id);
      await rig.until(last.id, "succeeded");
      if (!next!.created) last = (await submit([keyed("busy")]))[0]!;
      else last = next!;
    }
  });

  test("the job that a key names can be depended on, by those that named it too", async () => {
    const worker = await rig.worker({ run: hold });
    const [base] = await submit([keyed("base")]);
    const flow = await rig.submitWorkflow([
      { key: "prepare", dedupe_key: "base" },
      { key: "use", depends_on: ["prepare"] },
    ]);
    assert.equal(flow.jobs.prepare, base!.id);
    (await worker.held(base!.id)).succeed();
    (await worker.held(flow.jobs.use!)).succeed();
    await rig.workflowState(flow.id, "succeeded");
  });

  test("two workflows share the job that they both name, and each ends by it", async () => {
    const worker = await rig.worker({ run: hold });
    const shared = { key: "shared", dedupe_key: "shared" };
    const one = await rig.submitWorkflow([shared, { key: "a", depends_on: ["shared"] }]);
    const two = await rig.submitWorkflow([shared, { key: "b", depends_on: ["shared"] }]);
    assert.equal(one.jobs.shared, two.jobs.shared);
    (await worker.held(one.jobs.shared!)).succeed();
    for (const id of [one.jobs.a!, two.jobs.b!]) (await worker.held(id)).succeed();
    await rig.workflowState(one.id, "succeeded");
    await rig.workflowState(two.id, "succeeded");
  });

  test("two jobs of one workflow with one key are one job, whatever waits for either", async () => {
    const worker = await rig.worker({ run: hold });
    const flow = await rig.submitWorkflow([
      { key: "after", depends_on: ["second", "first"] },
      { key: "first", dedupe_key: "twin" },
      { key: "second", dedupe_key: "twin" },
      { key: "last", depends_on: ["second"] },
    ]);
    assert.equal(flow.jobs.first, flow.jobs.second);
    (await worker.held(flow.jobs.first!)).succeed();
    (await worker.held(flow.jobs.after!)).succeed();
    (await worker.held(flow.jobs.last!)).succeed();
    await rig.workflowState(flow.id, "succeeded");
  });

  test("a circle that only keys make is refused", async () => {
    await assert.rejects(
      rig.submitWorkflow([
        { key: "a", dedupe_key: "same", depends_on: ["b"] },
        { key: "b", depends_on: ["c"] },
        { key: "c", dedupe_key: "same" },
      ]),
      InvalidInput,
    );
    const [none] = await rig.sql`select count(*)::int as n from job`;
    assert.equal(none!.n, 0);
  });

  test("a job that is the one it depends on waits for nothing", async () => {
    const worker = await rig.worker({ run: hold });
    const flow = await rig.submitWorkflow([
      { key: "a", dedupe_key: "self" },
      { key: "b", dedupe_key: "self", depends_on: ["a"] },
      { key: "c", depends_on: ["b", "a", "b"] },
    ]);
    assert.equal(flow.jobs.a, flow.jobs.b);
    (await worker.held(flow.jobs.a!)).succeed();
    (await worker.held(flow.jobs.c!)).succeed();
    await rig.workflowState(flow.id, "succeeded");
  });

  test("a job that is named by a workflow while it ends is counted there, ended or not", async () => {
    const worker = await rig.worker({ concurrency: 50, run: hold });
    for (let round = 0; round < 12; round++) {
      const [job] = await submit([keyed(`r${round}`)]);
      const held = await worker.held(job!.id);
      held.succeed();
      const flow = await rig.submitWorkflow([{ key: "only", dedupe_key: `r${round}` }]);
      if (flow.jobs.only !== job!.id) (await worker.held(flow.jobs.only!)).succeed();
      await rig.workflowState(flow.id, "succeeded");
    }
  });

  test("of several jobs with one key that are retried at once, all come back and the newest keeps it", async () => {
    const worker = await rig.worker({ run: (held) => held.start() });
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const id = await rig.submit({ dedupe_key: "k" });
      (await worker.held(id)).fail();
      await rig.until(id, "failed");
      ids.push(id);
    }
    // The key names one that has ended for good.
    const last = await rig.submit({ dedupe_key: "k" });
    (await worker.held(last)).succeed();
    await rig.until(last, "succeeded");
    await rig.engine.bulk.begin(
      { kind: "retry", org: "default", filter: { queue: "default" } },
      {},
      "tester",
    );
    for (const id of ids) await worker.held(id);
    assert.equal(await rig.submit({ dedupe_key: "k" }), ids[2]);
    for (const held of [...worker.running.values()]) held.succeed();
    for (const id of ids) await rig.until(id, "succeeded");
  });
});
