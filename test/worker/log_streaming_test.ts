import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { type ScriptedPeer, ScriptedServer, shellJob } from "../support/scripted_server.ts";
import { cleanUpWorkers, startWorker, type WorkerProcess } from "../support/worker_process.ts";

describe("the output of a job", () => {
  let server: ScriptedServer;
  let worker: WorkerProcess;
  let peer: ScriptedPeer;
  before(async () => {
    server = await ScriptedServer.start();
    worker = startWorker(server.url);
    peer = await server.peer();
  });
  after(async () => {
    await cleanUpWorkers();
    await server.stop();
  });

  test("arrives while the job runs", async () => {
    const job = shellJob("echo first; sleep 0.5; echo second");
    peer.send({ type: "assign", jobs: [job] });
    await eventually(() => peer.logText(job) === "first\n", "the first line", { everyMs: 5 });
    assert.ok(!peer.reports().some((report) => report.token === job.token));
    await peer.reportOf(job);
    assert.equal(peer.logText(job), "first\nsecond\n");
  });

  test("of several megabytes arrives whole and in order, in frames within the limit", async () => {
    const script = "yes 'zeile mit ümläuten und €' | head -n 200000";
    const job = shellJob(script);
    peer.send({ type: "assign", jobs: [job] });
    const report = await peer.reportOf(job, 20_000);
    const expected = "zeile mit ümläuten und €\n".repeat(200_000);
    assert.equal(report.log_bytes, Buffer.byteLength(expected));
    assert.equal(peer.logText(job), expected);
    assert.ok(Math.max(...peer.sizes) <= 1024 * 1024);
  });

  test("that is binary is sent as text that counts the bytes it sends", async () => {
    const job = shellJob("head -c 300000 /dev/urandom; printf '\\033[1m\\000'");
    peer.send({ type: "assign", jobs: [job] });
    const report = await peer.reportOf(job);
    const text = peer.logText(job);
    assert.equal(report.log_bytes, Buffer.byteLength(text));
    assert.ok(text.endsWith("\x1b[1m\0"));
    assert.ok(Math.max(...peer.sizes) <= 1024 * 1024);
  });

  test("goes on into the worker while the server is away, and arrives later from where it was", async () => {
    const job = shellJob(
      "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; sleep 0.7; yes | head -c 2000000",
    );
    peer.send({ type: "assign", jobs: [job] });
    await eventually(() => peer.logText(job).includes("line 2999\n"), "the first part");
    const before = peer.logText(job);
    server.options.welcome = (hello) => ({
      resume: hello.running.map(({ started: _, ...lease }) => ({ ...lease, log_offset: 1000 })),
    });
    await server.pause();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await server.resume();
    const second = await eventually(
      () => server.peers.find((other) => other !== peer && other.hello),
      "it is back",
    );
    const report = await second.reportOf(job);
    assert.equal(report.outcome, "succeeded");
    assert.equal(
      before.slice(0, 1000) + second.logText(job, 1000),
      before + "y\n".repeat(1_000_000),
    );
    server.options = {};
    peer = second;
  });

  test("beyond 64 MiB is dropped with a notice, and the job goes on", async () => {
    const job = shellJob("yes 0123456789abcdef | head -c 80000000; echo 1 > $SIGNALBOX_RESULT");
    peer.send({ type: "assign", jobs: [job] });
    const report = await peer.reportOf(job, 20_000);
    assert.equal(report.outcome, "succeeded");
    assert.equal(report.result, 1);
    assert.ok(report.log_bytes! <= 64 * 1024 * 1024);
    const chunks = peer.of("log").flatMap((frame) => frame.chunks);
    const last = chunks.filter((chunk) => chunk.token === job.token).at(-1)!;
    assert.match(last.data, /limit of 67108864 bytes/);
    assert.equal(last.offset + Buffer.byteLength(last.data), report.log_bytes);
  });

  test("of many short jobs is never lost", async () => {
    const jobs = Array.from({ length: 64 }, (_, i) => shellJob(`echo ${i}; echo ${i} >&2`));
    for (let at = 0; at < jobs.length; at += 8) {
      const part = jobs.slice(at, at + 8);
      peer.send({ type: "assign", jobs: part });
      for (const job of part) await peer.reportOf(job);
    }
    for (const [i, job] of jobs.entries()) assert.equal(peer.logText(job), `${i}\n${i}\n`);
    assert.equal(worker.child.exitCode, null);
  });
});
