import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import postgres from "postgres";
import { DatabaseProxy } from "../support/database_proxy.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob, InlineWorker } from "../support/inline_worker.ts";
import { asSuperuser, sharedCluster } from "../support/shared_cluster.ts";

const many = (n: number) => Array.from({ length: n }, () => ({}));
const hold = (job: HeldJob) => job.start();
const quick = (job: HeldJob) => job.start().succeed({ done: true });
const ENDS = /insert into dispatched_job/;
const STRAYS = /not \(l\.token = any/;
const LEASES = /for no key update of live_job skip locked/;

/** All ended well, each reported end accepted, each job at its first attempt. */
async function assertUntouched(rig: Rig, workers: InlineWorker[], ids: string[]): Promise<void> {
  await eventually(
    async () => {
      const [row] = await rig.sql`
        select count(*)::int as n from job_end where job_id = any(${ids}::uuid[])`;
      return row!.n === ids.length;
    },
    "all end",
    { deadlineMs: 30_000 },
  );
  const ends = await rig.sql`select distinct state from job_end where job_id = any(${ids}::uuid[])`;
  assert.deepEqual(
    ends.map((e) => e.state),
    ["succeeded"],
  );
  // A lease whose job could not be read was given back unsent: nobody ever ran that attempt.
  const others = await rig.sql`select job_id, attempt, outcome, started_at from dispatched_job
    where job_id = any(${ids}::uuid[]) and outcome <> 'succeeded'
      and (outcome <> 'released' or started_at is not null)`;
  assert.deepEqual([...others], []);
  await eventually(
    () => workers.every((w) => w.unrecorded.size === 0),
    "every end is told to be on record",
  );
  const answers = workers.flatMap((w) => w.recorded);
  assert.equal(answers.filter((a) => !a.accepted).length, 0);
}

describe("a lost connection", () => {
  let rig: Rig;
  let proxy: DatabaseProxy;
  beforeEach(async () => {
    rig = await Rig.bare({ leaseSeconds: 3, graceSeconds: 1 });
    proxy = await DatabaseProxy.start(rig.url);
    await rig.addEngine({ url: proxy.url });
  });
  afterEach(async () => {
    await rig.stop();
    await proxy.stop();
  });

  /** A hundred jobs that run and wait to be ended together. */
  async function running(n: number) {
    const worker = await rig.worker({ concurrency: n, run: hold });
    const ids = await rig.submitMany(many(n));
    await eventually(() => worker.running.size === n, "all run");
    await eventually(
      async () =>
        (await rig.sql`select count(*)::int as n from live_job where state = 'running'`)[0]!.n ===
        n,
      "all starts are written",
    );
    return { worker, ids };
  }

  function endAll(worker: InlineWorker): void {
    const reports = [...worker.running.values()].map(({ lease }) => ({
      ...lease,
      outcome: "succeeded" as const,
      run_ms: 1,
    }));
    worker.finishAll(reports);
  }

  for (const what of ["lose_answer", "lose_commit"] as const) {
    test(`at the COMMIT of 100 good ends repeats nothing and loses none (${what})`, async () => {
      const { worker, ids } = await running(100);
      proxy.cutAtCommit(what, ENDS);
      endAll(worker);
      await assertUntouched(rig, [worker], ids);
      assert.equal(proxy.cuts, 1);
    });

    test(`at the COMMIT of leases dispatches every job once (${what})`, async () => {
      const ids = await rig.submitMany(many(60));
      proxy.cutAtCommit(what, LEASES);
      const worker = await rig.worker({ concurrency: 60, run: quick });
      await assertUntouched(rig, [worker], ids);
      assert.equal(worker.assigned.length, 60);
      assert.equal(proxy.cuts, 1);
    });

    test(`at three COMMITs in a row still repeats nothing (${what})`, async () => {
      const { worker, ids } = await running(50);
      proxy.cutAtCommit(what, ENDS, 3);
      endAll(worker);
      await assertUntouched(rig, [worker], ids);
      assert.ok(proxy.cuts > 0);
    });
  }

  for (const what of ["lose_answer", "lose_commit"] as const) {
    test(`at the COMMIT of a batch that a job adds adds it once (${what})`, async () => {
      const worker = await rig.worker({ run: hold });
      const id = await rig.submit();
      const held = await worker.held(id);
      await rig.until(id, "running");
      proxy.cutAtCommit(what, /insert into workflow_batch/);
      const answer = await held.submit("b", [{ key: "x", name: "work", kind: "handler" }]);
      assert.equal(proxy.cuts, 1);
      assert.equal((await rig.sql`select from job`).length, 2);
      (await worker.held(answer.ids!.x!)).succeed();
      held.succeed();
      const [flow] = await rig.sql`select id from workflow`;
      await rig.workflowState(flow!.id, "succeeded");
    });
  }

  test("at the COMMIT of failures leaves each failed job its one backoff", async () => {
    const worker = await rig.worker({ concurrency: 20, run: hold });
    const ids = await rig.submitMany(
      many(20).map(() => ({ max_attempts: 3, backoff: { base_seconds: 60 } })),
    );
    await eventually(() => worker.running.size === 20, "all run");
    proxy.cutAtCommit("lose_answer", ENDS);
    for (const held of [...worker.running.values()]) held.fail();
    await eventually(() => worker.unrecorded.size === 0, "all are on record");
    const rows = await rig.sql`
      select distinct failures, attempt, state from live_job where id = any(${ids}::uuid[])`;
    assert.deepEqual(
      rows.map((r) => [r.failures, r.attempt, r.state]),
      [[1, 1, "queued"]],
    );
    assert.ok(worker.recorded.every((r) => r.accepted));
  });

  test("to the database for longer than the lease costs no running job anything", async () => {
    const { worker, ids } = await running(40);
    proxy.cut();
    const cutAt = performance.now();
    // Half of them end while nobody can write it down.
    for (const held of [...worker.running.values()].slice(0, 20)) held.succeed();
    await eventually(() => performance.now() - cutAt > 5_000, "the lease is long over");
    proxy.restore();
    endAll(worker);
    await assertUntouched(rig, [worker], ids);
  });

  test("that keeps the answer of a lease back does not make its jobs run twice", async () => {
    await rig.addEngine({ url: proxy.url, strayAfterSeconds: 0 });
    const { engine, logs } = rig.engines[1]!;
    await rig.engines[0]!.stop();
    const runs: string[] = [];
    const run = (job: HeldJob) => {
      runs.push(`${job.lease.job} ${job.lease.attempt}`);
      quick(job);
    };
    const answer = proxy.keepAnswer(LEASES);
    const worker = await rig.worker({ concurrency: 20, run }, engine);
    const ids = await rig.submitMany(many(20), engine);
    const release = await answer;
    // The second look begins after the first has ended.
    await proxy.sent(STRAYS, 2);
    assert.equal(runs.length, 0);
    release();
    await assertUntouched(rig, [worker], ids);
    assert.deepEqual(runs.sort(), ids.map((id) => `${id} 1`).sort());
    assert.deepEqual(
      logs.filter((l) => l.message.includes("nobody knew")),
      [],
    );
  });

  test("keeps no worker waiting for a word about a report that nobody knows", async () => {
    const worker = await rig.worker();
    const job = await rig.submit();
    await worker.recordOf(job);
    proxy.cut();
    const token = "00000000-0000-4000-8000-000000000000";
    worker.finish({ job, attempt: 1, token, outcome: "succeeded", run_ms: 1 });
    await eventually(
      () => rig.logs.some((l) => l.message === "reports wait for the database"),
      "it was asked while nobody could answer",
    );
    proxy.restore();
    const answer = await worker.recordOf(job, 2);
    assert.deepEqual([answer.token, answer.accepted], [token, false]);
  });

  test("again and again leaves an engine that works", async () => {
    const worker = await rig.worker({ concurrency: 10, run: quick });
    const ids: string[] = [];
    for (let round = 0; round < 5; round++) {
      ids.push(...(await rig.submitMany(many(30))));
      proxy.cut();
      proxy.restore();
      // A submission may meet a connection that is just being cut.
      await eventually(async () => ids.push(await rig.submit()), "a submission gets through again");
    }
    await eventually(
      async () => (await rig.sql`select count(*)::int as n from live_job`)[0]!.n === 0,
      "all end",
      { deadlineMs: 30_000 },
    );
    assert.equal(worker.running.size, 0);
  });
});

describe("what the database does to an engine", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.bare();
  });
  afterEach(() => rig.stop());

  test("its backends are terminated at random, and every job ends once", async () => {
    await rig.addEngine({ leaseSeconds: 20 });
    const worker = await rig.worker({ concurrency: 20, run: quick });
    const ids = await rig.submitMany(many(1_500));
    let killed = 0;
    await eventually(
      async () => {
        const gone = await rig.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'signalbox engine'
          order by random() limit 2`;
        killed += gone.length;
        const [row] = await rig.sql`select count(*)::int as n from live_job`;
        return row!.n === 0;
      },
      "all end under fire",
      { deadlineMs: 30_000, everyMs: 150 },
    );
    assert.ok(killed > 4);
    await assertUntouched(rig, [worker], ids);
  });

  test("deadlocks with others are repeated until they are gone", async () => {
    const { admin } = await sharedCluster();
    const name = new URL(rig.url).pathname.slice(1);
    await asSuperuser(admin, (sql) =>
      sql.unsafe(`alter database ${name} set deadlock_timeout = '20ms'`),
    );
    await rig.addEngine({ leaseSeconds: 20 });
    const worker = await rig.worker({ concurrency: 40, run: quick });
    const roots = await rig.submitMany(many(100));
    const ids = await rig.submitMany(
      many(300).map((_, at) => ({ depends_on: [roots[at % 100]!, roots[(at * 7) % 100]!] })),
    );
    let storms = 0;
    let stopped = false;
    const storm = async () => {
      const sql = postgres(rig.url, { max: 1, onnotice: () => {} });
      while (!stopped) {
        // Backwards, one by one: the order in which everybody else does not lock.
        await sql
          .begin(async (tx) => {
            const rows = await tx`select id from live_job order by random() limit 4`;
            const list = rows
              .map((r) => r.id as string)
              .sort()
              .reverse();
            for (const id of list) await tx`select from live_job where id = ${id} for update`;
          })
          .catch((error) => {
            if (error.code === "40P01") storms += 1;
          });
        // A storm, and not a wall: it must be possible to get through.
        await sql`select pg_sleep(0.02)`;
      }
      await sql.end({ timeout: 1 });
    };
    const storming = [storm(), storm(), storm()];
    const deadlocks = () =>
      storms + rig.logs.filter((l) => JSON.stringify(l.facts).includes("40P01")).length;
    try {
      await eventually(
        async () => {
          const [row] = await rig.sql`select count(*)::int as n from live_job`;
          // On a lucky run all get through: then more come.
          if (row!.n < 100 && deadlocks() === 0) ids.push(...(await rig.submitMany(many(200))));
          return row!.n < 30 && deadlocks() > 0;
        },
        "nearly all end, and there were deadlocks",
        { deadlineMs: 25_000 },
      );
    } finally {
      stopped = true;
      await Promise.all(storming);
    }
    await assertUntouched(rig, [worker], [...roots, ...ids]);
  });

  test("the lost end of one attempt is not accepted because it travels with the end of the next", async () => {
    const here = await rig.addEngine({ leaseSeconds: 60 });
    const there = await rig.addEngine({ leaseSeconds: 60 });
    const first = await rig.worker({ run: hold }, here.engine);
    const id = await rig.submit({ max_attempts: 2, backoff: { base_seconds: 3_600 } });
    const lost = await first.held(id);
    await rig.until(id, "running");
    // It comes back over there without a memory; its old socket here hangs.
    await rig.worker({ uid: first.uid, draining: true }, there.engine);
    const second = await rig.worker({ run: hold }, here.engine);
    const next = await second.held(id);
    assert.equal(next.lease.attempt, 2);
    lost.succeed();
    next.fail();
    const answers = [await first.recordOf(id), await second.recordOf(id)];
    assert.deepEqual(
      answers.map((a) => a.accepted),
      [false, true],
    );
    const rows = await rig.attempts(id);
    assert.deepEqual(
      rows.map((r) => r.outcome),
      ["lost", "failed"],
    );
  });

  test("a report that cannot be stored ends its own job with a reason, and nobody else's", async () => {
    await rig.addEngine();
    const worker = await rig.worker({ concurrency: 40, run: hold });
    const ids = await rig.submitMany(many(30));
    const below = await rig.submit({ depends_on: [ids[7]!] });
    await eventually(() => worker.running.size === 30, "all run");
    const bad = new Set([ids[7], ids[20]]);
    worker.finishAll(
      [...worker.running.values()].map(({ lease }) => ({
        ...lease,
        outcome: bad.has(lease.job) ? ("failed" as const) : ("succeeded" as const),
        run_ms: 1,
        ...(bad.has(lease.job) ? { error: "a NUL: \u0000" } : {}),
      })),
    );
    for (const id of ids) {
      const end = await rig.end(id);
      if (bad.has(id)) assert.deepEqual([end.state, end.reason], ["failed", "unstorable_report"]);
      else assert.equal(end.state, "succeeded");
    }
    await rig.until(below, "dependency_failed");
    await eventually(() => worker.unrecorded.size === 0, "all are on record");
    await rig.until(await rig.submit(), "running");
    for (const held of worker.running.values()) held.succeed();
  });

  test("a report that cannot be stored, of a job that is to be cancelled, ends it too", async () => {
    await rig.addEngine();
    const worker = await rig.worker({ run: hold });
    const id = await rig.submit({ max_attempts: 5 });
    const held = await worker.held(id);
    await rig.until(id, "running");
    await rig.engine.cancelJob(id, "tester");
    await eventually(() => held.cancelReason !== undefined, "it is asked");
    held.fail("\u0000");
    const end = await rig.end(id);
    assert.ok(["failed", "cancelled"].includes(end.state));
    await rig.until(await rig.submit(), "running");
    for (const next of worker.running.values()) next.succeed();
  });

  test("a missing partition is made by whoever misses it, and fails nobody", async () => {
    const own = await rig.addEngine();
    const worker = await rig.worker({ run: hold });
    const id = await rig.submit();
    const held = await worker.held(id);
    await rig.until(id, "running");
    const [today] = await rig.sql`
      select 'job_end_' || to_char(now() at time zone 'utc', 'YYYYMMDD') as name`;
    await rig.sql.unsafe(`alter table job_end detach partition ${today!.name}`);
    await rig.sql.unsafe(`drop table ${today!.name}`);
    held.succeed();
    await eventually(
      () => own.logs.some((l) => JSON.stringify(l.facts).includes("no partition")),
      "it is said what was missing",
    );
    const end = await rig.end(id);
    assert.deepEqual([end.state, end.attempt], ["succeeded", 1]);
  });
});
