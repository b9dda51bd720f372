import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { Assignment } from "../../src/messages/frames.ts";
import { type HandlerJob, Worker } from "../../src/sdk/worker.ts";
import { backoffMs } from "../../src/worker/connection.ts";
import { eventually } from "../support/eventually.ts";
import { assignment, type ScriptedOptions, ScriptedServer } from "../support/scripted_server.ts";

/** A handler's run, held until the test lets it go. */
interface Held {
  job: HandlerJob;
  release: (result?: unknown) => void;
}

describe("a worker whose server goes away", () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const action of cleanUp.splice(0).reverse()) await action();
  });

  async function begin(options: ScriptedOptions = {}, concurrency = 4) {
    const server = await ScriptedServer.start(options);
    const held = new Map<string, Held>();
    const worker = new Worker({
      url: server.url,
      token: "t",
      name: "steady",
      concurrency,
      log: false,
      handlers: {
        hold: (job) => new Promise((release) => held.set(job.id, { job, release })),
        quick: (job) => ({ echo: job.payload }),
        big: () => "x".repeat(200_000),
      },
    });
    await worker.start();
    cleanUp.push(
      () => server.stop(),
      () => worker.release(0),
    );
    const peer = await server.peer();
    const assign = (...jobs: Assignment[]) => server.peers.at(-1)!.send({ type: "assign", jobs });
    const holding = (job: Assignment) => eventually(() => held.get(job.job), "the handler runs");
    return { server, worker, peer, assign, holding };
  }
  const hold = () => assignment({ kind: "handler", name: "hold" });
  const quick = (payload?: unknown) => assignment({ kind: "handler", name: "quick", payload });

  test("carries on, names its work in the next hello, and reports the end once recorded", async () => {
    const { server, assign, holding } = await begin();
    const job = hold();
    assign(job);
    const run = await holding(job);
    await server.pause();
    await server.resume();
    const second = await server.peer(1);
    const { job: id, attempt, token } = job;
    assert.deepEqual(second.hello.running, [{ job: id, attempt, token, started: true }]);
    assert.equal(run.job.signal.aborted, false);
    run.release({ done: true });
    assert.deepEqual((await second.reportOf(job)).result, { done: true });
    assert.equal(server.reports().length, 1);
  });

  test("repeats an end that was never recorded, and only that", async () => {
    const { server, assign, peer } = await begin({ record: false });
    const [lost, kept] = [quick(1), quick(2)];
    assign(lost, kept);
    await peer.reportOf(lost);
    await peer.reportOf(kept);
    peer.send({ type: "recorded", jobs: [{ ...kept, accepted: true }] });
    peer.cut();
    const second = await server.peer(1);
    assert.deepEqual(second.hello.running, []);
    assert.deepEqual(
      second.hello.unrecorded.map(({ token, result }) => [token, result]),
      [[lost.token, { echo: 1 }]],
    );
    second.send({ type: "recorded", jobs: [{ ...lost, accepted: false, reason: "repeated" }] });
    second.cut();
    assert.deepEqual((await server.peer(2)).hello.unrecorded, []);
  });

  test("keeps an end that came while it was away", async () => {
    const { server, assign, holding } = await begin({ record: false });
    const job = hold();
    assign(job);
    const run = await holding(job);
    await server.pause();
    run.release("late");
    await server.resume();
    const second = await server.peer(1);
    assert.equal(second.hello.unrecorded[0]!.result, "late");
  });

  test("keeps its hello within a frame, and sends the ends that did not fit after it", async () => {
    const { server, assign, peer } = await begin({ record: false }, 30);
    const jobs = Array.from({ length: 30 }, () => assignment({ kind: "handler", name: "big" }));
    assign(...jobs);
    for (const job of jobs) await peer.reportOf(job);
    peer.cut();
    const second = await server.peer(1);
    assert.ok(second.sizes[0]! <= 1024 * 1024);
    assert.equal(second.hello.unrecorded.length + second.hello.running.length, 30);
    assert.ok(second.hello.unrecorded.length >= 4);
    for (const { token } of second.hello.running) {
      await second.reportOf(jobs.find((job) => job.token === token)!);
    }
    assert.ok(second.sizes.every((size) => size <= 1024 * 1024));
    assert.equal(new Set(server.reports().map((report) => report.token)).size, 30);
  });

  test("resumes a log at the byte that the server wants, and reports the end after it", async () => {
    const text = Array.from({ length: 40 }, (_, i) => `zeile ${i} äöü€😀\n`).join("");
    const bytes = Buffer.from(text);
    // In the middle of a character: the chunk begins at the character's start.
    const wanted = Buffer.from(text.slice(0, text.indexOf("😀"))).length + 2;
    const { server, assign, holding, peer } = await begin();
    const job = hold();
    assign(job);
    const run = await holding(job);
    run.job.log(text.slice(0, 300).trimEnd());
    await eventually(() => peer.logText(job).length > 0, "the log begins");
    server.options.welcome = (hello) => ({
      resume: hello.running.map(({ started: _, ...lease }) => ({ ...lease, log_offset: wanted })),
    });
    await server.pause();
    const from = Buffer.byteLength(`${text.slice(0, 300).trimEnd()}\n`);
    run.job.log(text);
    run.release();
    await server.resume();
    const second = await server.peer(1);
    assert.deepEqual(second.hello.unrecorded, []);
    assert.equal(second.hello.running.length, 1);
    const report = await second.reportOf(job);
    assert.equal(report.log_bytes, from + bytes.length + 1);
    const chunks = second.of("log").flatMap((frame) => frame.chunks);
    assert.equal(chunks[0]!.offset, wanted - 2);
    const whole = Buffer.from(`${text.slice(0, 300).trimEnd()}\n${text}\n`);
    assert.equal(second.logText(job, wanted - 2), whole.subarray(wanted - 2).toString());
    const order = second.frames.map((frame) => frame.type);
    assert.ok(order.lastIndexOf("log") < order.indexOf("finished"));
  });

  test("kills what the welcome says, keeps what it does not name", async () => {
    const { server, assign, holding } = await begin();
    const [doomed, unnamed] = [hold(), hold()];
    assign(doomed, unnamed);
    const first = await holding(doomed);
    const second = await holding(unnamed);
    const signal = first.job.signal;
    server.options.welcome = () => ({ resume: [], kill: [{ ...doomed, reason: "final" }] });
    server.peers[0]!.cut();
    const peer = await server.peer(1);
    await eventually(() => signal.aborted, "its handler is told");
    first.release("nobody wants this");
    second.release("this one");
    assert.equal((await peer.reportOf(unnamed)).result, "this one");
    assert.equal(peer.reports().length, 1);
  });

  test("ignores an assignment that is repeated, rejects another attempt of what it holds", async () => {
    const { assign, holding, peer } = await begin();
    const job = hold();
    assign(job);
    const run = await holding(job);
    assign(job);
    const other = { ...job, attempt: 2, token: hold().token };
    assign(other, assignment({ kind: "handler", name: "unheard-of" }), assignment());
    await eventually(() => peer.of("rejected").length > 0, "it rejects");
    const reasons = peer.of("rejected").flatMap((frame) => frame.jobs.map((entry) => entry.reason));
    assert.deepEqual(reasons, [
      "another attempt of this job is held here",
      "no handler called unheard-of",
      "runs no exec jobs",
    ]);
    run.release();
    assert.equal((await peer.reportOf(job)).outcome, "succeeded");
  });

  test("comes back after garbage, an error frame or silence", async () => {
    const { server, peer } = await begin({ heartbeatSeconds: 0.2 });
    peer.sendText("{ this is no frame");
    const second = await server.peer(1);
    second.refuse("unavailable", "no database");
    const third = await server.peer(2);
    third.send({ type: "assign", jobs: "nonsense" } as never);
    await server.peer(3);
    await eventually(() => server.peers[3]!.of("heartbeat").length >= 2, "it goes on");
  });

  test("leaves for good when another process took its place", async () => {
    const { worker, peer, assign, holding } = await begin();
    const job = hold();
    assign(job);
    const run = await holding(job);
    const signal = run.job.signal;
    peer.refuse("superseded", "a newer hello");
    const end = await worker.done;
    assert.equal(end.code, 1);
    assert.match(end.why, /superseded/);
    assert.ok(signal.aborted);
  });

  test("a drain waits for the last record, over a reconnect too", async () => {
    const { server, worker, assign, peer } = await begin({ record: false });
    const job = quick();
    assign(job);
    await peer.reportOf(job);
    const stopped = worker.stop();
    await eventually(() => peer.of("draining").length === 1, "it drains");
    peer.cut();
    const second = await server.peer(1);
    assert.equal(second.hello.draining, true);
    second.send({ type: "recorded", jobs: [{ ...job, accepted: true }] });
    await stopped;
  });

  test("sends jobs that were submitted again until the server answers, under the same batch", async () => {
    const { server, assign, holding, peer } = await begin();
    const job = hold();
    assign(job);
    const run = await holding(job);
    const ids = run.job.submit([{ key: "child", name: "child", kind: "handler" }]);
    await eventually(() => peer.of("submit").length === 1, "it submits");
    peer.cut();
    const second = await server.peer(1);
    await eventually(() => second.of("submit").length === 1, "it submits again");
    const { batch, ...rest } = second.of("submit")[0]!;
    assert.deepEqual({ ...rest, batch }, peer.of("submit")[0]);
    const { job: id, attempt, token } = job;
    second.send({ type: "submitted", job: id, attempt, token, batch, ids: { child: job.job } });
    assert.deepEqual(await ids, { child: job.job });
    const refused = run.job.submit([{ key: "x", name: "x", kind: "handler" }]);
    await eventually(() => second.of("submit").length === 2, "the next batch");
    assert.notEqual(second.of("submit")[1]!.batch, batch);
    const next = second.of("submit")[1]!.batch;
    second.send({ type: "submitted", job: id, attempt, token, batch: next, error: "closed" });
    await assert.rejects(refused, /closed/);
    await assert.rejects(run.job.submit([{ key: "a b", name: "x" }]), /cannot submit/);
    run.release();
  });
});

test("reconnects are spread between half the wait and all of it, up to 5 s", () => {
  assert.equal(
    backoffMs(0, () => 0),
    100,
  );
  assert.equal(
    backoffMs(0, () => 1),
    200,
  );
  assert.equal(
    backoffMs(3, () => 1),
    1600,
  );
  assert.equal(
    backoffMs(500, () => 0),
    2500,
  );
  assert.equal(
    backoffMs(500, () => 1),
    5000,
  );
});
