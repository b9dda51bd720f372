import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { z } from "zod";
import type { Assignment } from "../../src/messages/frames.ts";
import { JobStopped, Worker } from "../../src/sdk/worker.ts";
import { eventually } from "../support/eventually.ts";
import { assignment, type ScriptedPeer, ScriptedServer } from "../support/scripted_server.ts";

describe("a worker with handlers", () => {
  let server: ScriptedServer;
  let peer: ScriptedPeer;
  let stop: () => Promise<void>;
  const never = new Map<string, AbortSignal>();

  before(async () => {
    server = await ScriptedServer.start();
    const worker = new Worker({
      url: server.url,
      token: "t",
      name: "app",
      concurrency: 100,
      killGraceSeconds: 0.2,
      log: false,
      handlers: {
        resize: {
          payload: z.object({ width: z.number(), unit: z.string().default("px") }),
          run: async (job) => `${job.payload.width + 1}${job.payload.unit}`,
        },
        facts: (job) => {
          const { id, name, attempt, org, queue, payload, inputs, maxAttempts } = job;
          return { id, name, attempt, org, queue, payload, inputs, maxAttempts };
        },
        noop: () => {},
        chatty: async (job) => {
          job.log("one", { two: 2 });
          job.progress(0.5, "half way");
          job.items({ success: 3, failed: 1 });
          await new Promise((resolve) => setTimeout(resolve, 30));
          job.log("\ud800 end");
          return null;
        },
        throws: () => {
          throw new TypeError("no such colour");
        },
        "throws-late": async () => {
          throw "a string";
        },
        circular: () => {
          const ring: Record<string, unknown> = {};
          ring.ring = ring;
          return ring;
        },
        huge: () => "x".repeat(300_000),
        big: () => 10n,
        polite: (job) =>
          new Promise((_, reject) => {
            job.signal.addEventListener("abort", () => reject(job.signal.reason));
          }),
        deaf: (job) =>
          new Promise(() => {
            never.set(job.id, job.signal);
          }),
      },
    });
    await worker.start();
    peer = await server.peer();
    stop = () => worker.stop();
  });
  after(async () => {
    await stop();
    await server.stop();
  });

  async function run(name: string, own: Partial<Assignment> = {}) {
    const job = assignment({ kind: "handler", name, ...own });
    peer.send({ type: "assign", jobs: [job] });
    return { job, report: await peer.reportOf(job) };
  }

  test("says what it can run", () => {
    const { kinds, handlers, concurrency, name } = peer.hello;
    assert.deepEqual(kinds, ["handler"]);
    assert.ok(handlers.includes("resize") && handlers.includes("throws-late"));
    assert.deepEqual([concurrency, name], [100, "app"]);
    assert.ok(peer.hello.resources.ram_mb! > 0 && peer.hello.resources.cpus! > 0);
  });

  test("gives the handler its payload as the schema makes it", async () => {
    const { report } = await run("resize", { payload: { width: 4 } });
    assert.equal(report.result, "5px");
    assert.equal(report.outcome, "succeeded");
  });

  test("fails a payload that is not what the handler takes, with the place", async () => {
    const { report } = await run("resize", { payload: { width: "wide" } });
    assert.equal(report.outcome, "failed");
    assert.equal(report.reason, "invalid_payload");
    assert.match(report.error!, /width/);
    assert.doesNotMatch(report.error!, /:\d+:\d+/);
  });

  test("gives the handler the facts of its job", async () => {
    const { job, report } = await run("facts", { payload: [1], inputs: { a: 2 }, max_attempts: 3 });
    assert.deepEqual(report.result, {
      id: job.job,
      name: "facts",
      attempt: 1,
      org: "default",
      queue: "default",
      payload: [1],
      inputs: { a: 2 },
      maxAttempts: 3,
    });
  });

  test("sends progress, items and log while it runs, and items again at the end", async () => {
    const { job, report } = await run("chatty");
    const progress = peer.of("progress").flatMap((frame) => frame.jobs);
    const items = { success: 3, failed: 1, skipped: 0 };
    assert.deepEqual(
      progress.find((entry) => entry.token === job.token),
      {
        job: job.job,
        attempt: 1,
        token: job.token,
        fraction: 0.5,
        note: "half way",
        items,
      },
    );
    assert.deepEqual(report.items, items);
    assert.equal(report.result, null);
    assert.equal(peer.logText(job), "one { two: 2 }\n\ufffd end\n");
    assert.ok(peer.of("started").some((frame) => frame.jobs.some((l) => l.token === job.token)));
  });

  test("skips `started` where the end leaves in the same flush", async () => {
    const { job, report } = await run("noop");
    assert.equal(report.outcome, "succeeded");
    assert.equal("result" in report, false);
    assert.ok(report.run_ms! >= 0);
    assert.ok(!peer.of("started").some((frame) => frame.jobs.some((l) => l.token === job.token)));
  });

  test("fails with message and stack, whatever is thrown", async () => {
    const { report } = await run("throws");
    assert.equal(report.reason, "error");
    assert.match(report.error!, /^TypeError: no such colour\n\s+at /);
    assert.match((await run("throws-late")).report.error!, /a string/);
  });

  for (const name of ["circular", "huge", "big"]) {
    test(`fails where its result cannot be sent: ${name}`, async () => {
      const { report } = await run(name);
      assert.equal(report.outcome, "failed");
      assert.equal(report.reason, "invalid_result");
    });
  }

  test("is told of a timeout by its signal", async () => {
    const { report } = await run("polite", { timeout_seconds: 0.05 });
    assert.equal(report.outcome, "timed_out");
    assert.equal(report.reason, "timeout");
    assert.match(report.error!, /timeout/);
  });

  test("is told of a cancel, and reported without it where it does not listen", async () => {
    const job = assignment({ kind: "handler", name: "deaf" });
    peer.send({ type: "assign", jobs: [job] });
    const signal = await eventually(() => never.get(job.job), "it runs");
    peer.send({ type: "cancel", jobs: [{ ...job, reason: "asked" }] });
    const report = await peer.reportOf(job);
    assert.equal(report.outcome, "cancelled");
    assert.match(report.error!, /did not stop within 0.2 s/);
    assert.ok(signal.reason instanceof JobStopped);
    assert.equal(signal.reason.reason, "cancel");
  });

  test("a timeout of 30 days does not fire at once", async () => {
    const { report } = await run("chatty", { timeout_seconds: 30 * 86_400 });
    assert.equal(report.outcome, "succeeded");
  });

  test("packs many no-op jobs in few frames, one end for each", async () => {
    const before = peer.of("finished").length;
    const all: Assignment[] = [];
    for (let round = 0; round < 60; round += 1) {
      const jobs = Array.from({ length: 100 }, () => assignment({ kind: "handler", name: "noop" }));
      all.push(...jobs);
      peer.send({ type: "assign", jobs });
    }
    const tokens = () => new Set(peer.reports().map((report) => report.token));
    await eventually(() => {
      const seen = tokens();
      return all.every((job) => seen.has(job.token));
    }, "every job is reported");
    assert.equal(peer.of("rejected").length, 0);
    const frames = peer.of("finished").length - before;
    assert.ok(frames <= 70, `${frames} frames`);
  });
});

test("options that no server would take are refused at once", () => {
  const base = {
    url: "ws://127.0.0.1:1",
    token: "t",
    handlers: { a: () => {} },
    log: false,
  } as const;
  assert.throws(() => new Worker({ ...base, name: "" }), /name/);
  assert.throws(() => new Worker({ ...base, concurrency: 0 }), /concurrency/);
  assert.throws(() => new Worker({ ...base, concurrency: 9_999 }), /too much for one worker/);
  assert.throws(() => new Worker({ ...base, handlers: { "a b": () => {} } }), /handlers/);
  assert.throws(() => new Worker({ ...base, handlers: {} }), /at least one handler/);
  assert.throws(() => new Worker({ ...base, url: "ftp://x" }), /--url|ws:/);
});
