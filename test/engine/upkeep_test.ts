import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const hold = (job: HeldJob) => job.start();

describe("dedupe keys that name nothing any more", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const keys = async () =>
    (await rig.sql`select key from job_key order by 1`).map((r) => r.key as string);
  const forgotten = (...left: string[]) =>
    eventually(
      async () => (await keys()).join() === left.join(),
      `only the keys ${left} are left`,
      { deadlineMs: 20_000 },
    );

  test("are forgotten, those of jobs that live are kept", async () => {
    const worker = await rig.worker({ run: hold });
    const alive = await rig.submit({ dedupe_key: "alive", run_at: "2999-01-01T00:00:00Z" });
    const ended = await rig.submitMany(
      Array.from({ length: 3 }, (_, at) => ({ dedupe_key: `ended ${at}` })),
    );
    for (const id of ended) (await worker.held(id)).succeed();
    await forgotten("alive");
    assert.equal(await rig.submit({ dedupe_key: "alive" }), alive);
    await rig.engine.cancelJob(alive, "tester");
    await forgotten();
  });

  test("name their job again when it is retried", async () => {
    const worker = await rig.worker({ run: hold });
    const id = await rig.submit({ dedupe_key: "nightly" });
    (await worker.held(id)).fail();
    await rig.until(id, "failed");
    await forgotten();
    await rig.engine.retryJob(id, "tester");
    assert.equal(await rig.submit({ dedupe_key: "nightly" }), id);
    (await worker.held(id)).succeed();
  });

  test("stay with who has them when an older job of that name is retried", async () => {
    const worker = await rig.worker({ run: hold });
    const first = await rig.submit({ dedupe_key: "nightly" });
    (await worker.held(first)).fail();
    await rig.until(first, "failed");
    const second = await rig.submit({ dedupe_key: "nightly" });
    assert.notEqual(second, first);
    await rig.engine.retryJob(first, "tester");
    assert.equal(await rig.submit({ dedupe_key: "nightly" }), second);
  });

  test("are not taken from a submission that claims them at that moment", async () => {
    await rig.worker();
    const old = await rig.submit({ dedupe_key: "race" });
    await rig.until(old, "succeeded");
    await forgotten();
    // The key goes to a job that lives while the upkeep waits for it.
    const alive = await rig.submit({ run_at: "2999-01-01T00:00:00Z" });
    const release = await rig.hold(
      `insert into job_key (org_id, key, job_id)
       select org_id, 'race', id from job where id = '${old}'`,
    );
    await release();
    const taken = await rig.hold("update job_key set job_id = $1 where key = 'race'", [alive]);
    await rig.sql`insert into job_key (org_id, key, job_id)
      select org_id, 'zz', id from job where id = ${old}`;
    await eventually(() => rig.engineWaits(), "the upkeep waits for the key");
    await taken();
    await forgotten("race");
  });
});

describe("the nightly recount", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.bare();
  });
  afterEach(() => rig.stop());

  const wrongs = (logs: { level: string; message: string }[]) =>
    logs.filter((l) => l.level === "error" && l.message.includes("drifted"));
  const dayLater = () => rig.sql`update setting set changed_at = now() - interval '25 hours'
    where key = 'counters_checked'`;
  const takeover = () => rig.sql`update leadership set until = now() - interval '1 second'`;
  const checked = () =>
    eventually(async () => {
      const rows = await rig.sql`select 1 from setting where key = 'counters_checked'
        and changed_at > now() - interval '1 minute'`;
      return rows.length > 0;
    }, "counters are counted anew");

  test("repairs counters that are off, and says so as an error", async () => {
    const first = await rig.addEngine();
    const flow = await rig.submitWorkflow([{ key: "a" }, { key: "b", depends_on: ["a"] }]);
    await rig.submitMany([{}, { run_at: "2999-01-01T00:00:00Z" }]);
    await first.stop();
    await rig.sql`update counter_delta set n = n + 5 where state = 'ready'`;
    await rig.sql`update counter set n = n - 1 where state = 'queued'`;
    await rig.sql`insert into counter_delta (org_id, queue_id, state, n)
      select id, 4711, 'running', 3 from org where name = 'default'`;
    await dayLater();
    await takeover();
    const second = await rig.addEngine();
    await eventually(() => wrongs(second.logs).length === 1, "the drift is reported");
    // What the oracles at the end of the test find right is what it repaired.
    await second.engine.cancelWorkflow(flow.id, "tester");
    await rig.workflowState(flow.id, "cancelled");
  });

  test("finds nothing wrong where nothing is, and comes once a day whoever leads", async () => {
    const first = await rig.addEngine();
    await checked();
    const worker = await rig.worker({}, first.engine);
    const flow = await rig.submitWorkflow([{ key: "a" }, { key: "b", depends_on: ["a"] }], {
      open: true,
    });
    await rig.until(flow.jobs.b!, "succeeded");
    worker.drop();
    await first.stop();
    await rig.sql`insert into counter_delta (org_id, queue_id, state, n)
      select id, 4711, 'running', 3 from org where name = 'default'`;
    await takeover();
    const second = await rig.addEngine();
    await eventually(
      async () => {
        const [row] = await rig.sql`select count(*)::int as n from leadership
        where role = 'recounter' and holder = ${second.engine.replicaId}`;
        return row!.n === 1;
      },
      "the next server leads",
      { deadlineMs: 90_000 },
    );
    await second.stop();
    assert.deepEqual(wrongs(second.logs), []);
    await rig.sql`insert into counter_delta (org_id, queue_id, state, n)
      select id, 4711, 'running', -3 from org where name = 'default'`;
    await dayLater();
    await takeover();
    const third = await rig.addEngine();
    await checked();
    await third.stop();
    assert.deepEqual(wrongs(third.logs), []);
  });
});
