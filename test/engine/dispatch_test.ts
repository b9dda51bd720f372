import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

describe("dispatch", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const hold = (job: HeldJob) => job.start();
  const quick = (job: HeldJob) => job.start().succeed();

  async function allEnd(ids: string[], deadlineMs = 10_000) {
    await eventually(
      async () => {
        const [row] = await rig.sql`
          select count(*)::int as n from job_end where job_id = any(${ids}::uuid[])`;
        return row!.n === ids.length;
      },
      `${ids.length} jobs end`,
      { deadlineMs },
    );
  }

  test("higher priority goes first, and among equals who waited longest", async () => {
    const ids = await rig.submitMany([
      { priority: 0 },
      { priority: -100 },
      { priority: 100 },
      { priority: 10 },
      { priority: 0 },
    ]);
    const worker = await rig.worker({ concurrency: 1, run: quick });
    await allEnd(ids);
    const order = worker.assigned.map((job) => ids.indexOf(job.id));
    assert.deepEqual(order, [2, 3, 0, 4, 1]);
  });

  test("a job that has waited long enough goes before any priority", async () => {
    const old = await rig.submit({ priority: -5 });
    // As if it had been ready for eleven minutes: ten points of priority are ten minutes.
    await rig.sql`
      update live_job set ready_rank = ready_rank - 660, ready_at = ready_at - interval '660 s',
        eligible_at = eligible_at - interval '660 s', queued_at = queued_at - interval '660 s'
      where id = ${old}`;
    await rig.sql`update job set created_at = created_at - interval '660 s' where id = ${old}`;
    const young = await rig.submit({ priority: 5 });
    const worker = await rig.worker({ concurrency: 1, run: quick });
    await allEnd([old, young]);
    assert.deepEqual(
      worker.assigned.map((job) => job.id),
      [old, young],
    );
  });

  test("a job that became ready while thousands waited before it is not lost behind them", async () => {
    const first = await rig.submitMany(Array.from({ length: 3_000 }, () => ({ priority: 1 })));
    const late = await rig.submit({ priority: -100 });
    await rig.worker({ concurrency: 400, run: quick });
    await allEnd([...first, late], 30_000);
  });

  test("of two thousand shapes each gets its turn", async () => {
    const inputs = Array.from({ length: 2_000 }, (_, at) => ({ queue: `q${at}` }));
    const ids = await rig.submitMany(inputs);
    await rig.worker({ concurrency: 200, run: quick });
    await allEnd(ids, 30_000);
  });

  test("of a thousand names those are run that a worker knows, whoever comes and goes", async () => {
    const names = Array.from({ length: 1_000 }, (_, at) => `name-${at}`);
    const even = names.filter((_, at) => at % 2 === 0);
    const ids = await rig.submitMany(names.flatMap((name) => [{ name }, { name }]));
    const idsOf = (some: string[]) => ids.filter((_, at) => some.includes(names[at >> 1]!));
    const first = await rig.worker({ concurrency: 50, handlers: even.slice(0, 400), run: hold });
    await eventually(() => first.assigned.length === 50, "the first worker is full");
    const all = { concurrency: 200, run: quick };
    const second = await rig.worker({ ...all, handlers: even });
    await allEnd(idsOf(even.slice(400)), 30_000);
    second.drop();
    first.run = quick;
    for (const job of first.running.values()) job.succeed();
    await rig.worker({ ...all, handlers: even });
    await rig.worker({ ...all, handlers: names });
    await allEnd(ids, 30_000);
  });

  test("what a thousand names used is kept when their server stops", async () => {
    const names = Array.from({ length: 1_100 }, (_, at) => `name-${at}`);
    await rig.worker({ concurrency: 400, handlers: names, run: quick });
    await allEnd(await rig.submitMany([...names, ...names].map((name) => ({ name }))), 30_000);
    await rig.engines[0]!.stop();
    const [kept] = await rig.sql`
      select count(*)::int as names, sum(samples)::int as samples from name_history`;
    assert.deepEqual({ ...kept }, { names: 1_100, samples: 2_200 });
  });

  test("a job goes only where everything that it asks for is offered", async () => {
    const workers = {
      plain: await rig.worker({ run: hold }),
      big: await rig.worker({ run: hold, resources: { ram_mb: 4_000, cpus: 4 }, pool: "big" }),
      linux: await rig.worker({ run: hold, system: "x86_64-linux", features: ["kvm", "nix"] }),
    };
    const wanted = [
      [{ pool: "big" }, "big"],
      [{ ram_mb: 3_000 }, "big"],
      [{ cpus: 2.5 }, "big"],
      [{ system: "x86_64-linux" }, "linux"],
      [{ features: ["nix", "kvm"] }, "linux"],
    ] as const;
    for (const [requirements, name] of wanted) {
      const id = await rig.submit({ requirements: requirements as object });
      (await workers[name].held(id)).succeed();
      await rig.until(id, "succeeded");
    }
    const never = await rig.submit({ requirements: { features: ["nix", "gpu"] } });
    const exec = await rig.submit({ kind: "exec", name: "x", payload: { command: ["true"] } });
    await eventually(
      () => Object.values(workers).some((w) => w.assigned.some((j) => j.id === exec)),
      "a later job is dispatched",
    );
    assert.equal(await rig.state(never), "ready");
  });

  test("what jobs reserve is never more than the worker has", async () => {
    let most = 0;
    const worker = await rig.worker({
      concurrency: 50,
      resources: { ram_mb: 1_000, cpus: 3 },
      run: (job) => {
        const reserved = [...worker.running.values()].map((j) => j.assignment.ram_mb ?? 0);
        most = Math.max(
          most,
          reserved.reduce((a, b) => a + b, 0),
        );
        job.start();
        setTimeout(() => job.succeed(), 5);
      },
    });
    const ids = await rig.submitMany(
      Array.from({ length: 40 }, (_, at) => ({
        requirements: { ram_mb: 300 + (at % 3) * 100, cpus: 0.7 },
      })),
    );
    await allEnd(ids, 20_000);
    assert.ok(most <= 1_000, `${most} MiB at once`);
    assert.ok(most > 500, "several at once");
  });

  test("a reservation that does not fit now does not hold up what needs nothing", async () => {
    const worker = await rig.worker({ concurrency: 10, resources: { ram_mb: 1_000 }, run: hold });
    const first = await rig.submit({ requirements: { ram_mb: 800 } });
    await worker.held(first);
    const waiting = await rig.submitMany(
      Array.from({ length: 300 }, (_, at) => ({ requirements: { ram_mb: 500 + at } })),
    );
    const small = await rig.submit();
    await worker.held(small);
    assert.equal(await rig.state(waiting[0]!), "ready");
    (await worker.held(first)).succeed();
    await eventually(
      async () => (await rig.live(waiting[0]!)).state === "running",
      "the next one fits",
    );
  });

  test("an organization's worker runs no job of another, a shared one runs both", async () => {
    await rig.sql`insert into org (name) values ('other')`;
    const { jobInput } = await import("../../src/messages/job_input.ts");
    const input = jobInput.parse({ name: "work", kind: "handler" });
    const own = await rig.worker({ run: quick });
    const [theirs] = await rig.engine.submitJobs("other", [input], "tester");
    const ours = await rig.submit();
    await rig.until(ours, "succeeded");
    assert.equal(await rig.state(theirs!.id), "ready");
    const shared = await rig.worker({ org: null, run: quick });
    await rig.until(theirs!.id, "succeeded");
    assert.deepEqual([own.assigned.length, shared.assigned.length], [1, 1]);
    assert.equal(shared.assigned[0]!.assignment.org, "other");
  });

  test("a payload as large as allowed arrives, and many of them arrive in several frames", async () => {
    const text = "ü".repeat(100_000);
    const worker = await rig.worker({ concurrency: 20, run: quick });
    const ids = await rig.submitMany(Array.from({ length: 12 }, () => ({ payload: { text } })));
    await allEnd(ids);
    for (const job of worker.assigned)
      assert.equal((job.assignment.payload as { text: string }).text, text);
  });

  test("inputs that exceed a frame fail the job with a reason, and nobody else", async () => {
    const text = "漢".repeat(80_000);
    const worker = await rig.worker({
      concurrency: 20,
      run: (job) => job.start().succeed(job.assignment.inputs ? null : { text }),
    });
    const parents = await rig.submitMany([{}, {}, {}, {}]);
    const child = await rig.submit({ depends_on: parents });
    const fine = await rig.submit({ depends_on: [parents[0]!] });
    const end = await rig.end(child);
    assert.deepEqual([end.state, end.reason], ["failed", "unsendable"]);
    await rig.until(fine, "succeeded");
    assert.ok(!worker.assigned.some((j) => j.id === child));
    // The slot is free again.
    await allEnd(await rig.submitMany(Array.from({ length: 25 }, () => ({}))));
  });

  test("jobs submitted to a server without workers run at the one that has them, at once", async () => {
    const other = await rig.addEngine();
    await rig.worker({ concurrency: 50, run: quick }, other.engine);
    const startedAt = performance.now();
    const ids = await rig.submitMany(Array.from({ length: 100 }, () => ({})));
    await allEnd(ids);
    assert.ok(performance.now() - startedAt < 5_000, "not only with the next sweep");
  });

  test("two servers share one line without giving a job twice", async () => {
    const other = await rig.addEngine();
    const ids = await rig.submitMany(Array.from({ length: 2_000 }, () => ({})));
    const workers = [
      await rig.worker({ concurrency: 60, run: quick }),
      await rig.worker({ concurrency: 60, run: quick }, other.engine),
    ];
    await allEnd(ids, 30_000);
    const seen = workers.flatMap((w) => w.assigned.map((j) => j.id));
    assert.equal(seen.length, 2_000);
    const shares = workers.map((w) => w.assigned.length);
    assert.ok(Math.min(...shares) > 100, `both work: ${shares}`);
  });
});
