import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { isRunning, processesWith } from "../support/processes.ts";
import { ScriptedServer, shellJob } from "../support/scripted_server.ts";
import { cleanUpWorkers, type StartOptions, startWorker } from "../support/worker_process.ts";

describe("processes of a job", () => {
  let server: ScriptedServer;
  before(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(async () => {
    await cleanUpWorkers();
    server.peers.length = 0;
  });
  after(() => server.stop());

  async function begin(
    script: string,
    own: StartOptions = {},
    job: { timeout_seconds?: number } = {},
  ) {
    const worker = startWorker(server.url, { killGraceSeconds: 0.4, ...own });
    const peer = await server.peer();
    const lease = shellJob(script, job);
    peer.send({ type: "assign", jobs: [lease] });
    return { worker, peer, lease };
  }

  /** A name that only this test's processes carry, as an argument of theirs. */
  const marker = () => `signalbox-test-${randomUUID()}`;
  const gone = (mark: string) =>
    eventually(() => processesWith(mark).length === 0, "every process is gone", { everyMs: 10 });
  const alive = (mark: string, count: number) =>
    eventually(() => processesWith(mark).length >= count, `${count} processes run`, { everyMs: 5 });

  const sleeper = (mark: string) => `sh -c 'sleep 300; : ${mark}'`;

  test("are terminated, then killed, when the job is cancelled", async () => {
    const mark = marker();
    const script = `trap '' TERM; (trap '' TERM; ${sleeper(mark)}) & ${sleeper(mark)}; wait; sleep 300`;
    const { peer, lease } = await begin(script);
    await alive(mark, 2);
    peer.send({ type: "cancel", jobs: [{ ...lease, reason: "asked" }] });
    const report = await peer.reportOf(lease);
    assert.equal(report.outcome, "cancelled");
    assert.equal(report.signal, "SIGKILL");
    assert.ok(peer.of("cancelling").some((frame) => frame.jobs[0]!.token === lease.token));
    assert.deepEqual(processesWith(mark), []);
  });

  test("get time to end by themselves after SIGTERM", async () => {
    const { peer, lease } = await begin(
      "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done",
    );
    await eventually(() => peer.logText(lease) === "up\n", "it runs");
    peer.send({ type: "cancel", jobs: [{ ...lease, reason: "asked" }] });
    const report = await peer.reportOf(lease);
    assert.equal(report.outcome, "cancelled");
    assert.equal(report.exit_code, 0);
    // The shell may say that its own child was terminated with it.
    assert.match(peer.logText(lease), /^up\n(Terminated\n)?bye\n$/);
  });

  test("are ended at the job's timeout", async () => {
    const mark = marker();
    const { peer, lease } = await begin(sleeper(mark), {}, { timeout_seconds: 0.3 });
    const report = await peer.reportOf(lease);
    assert.equal(report.outcome, "timed_out");
    assert.equal(report.reason, "timeout");
    assert.ok(report.run_ms! >= 290 && report.run_ms! < 3000, String(report.run_ms));
    assert.deepEqual(processesWith(mark), []);
  });

  test("do not outlive the main process, daemons neither", async () => {
    const mark = marker();
    const script = [
      `(trap '' TERM HUP; ${sleeper(mark)}) >/dev/null 2>&1 &`,
      `setsid ${sleeper(mark)} >/dev/null 2>&1 </dev/null &`,
      `(setsid sh -c '${sleeper(mark).replaceAll("'", "'\\''")} & exit 0' &)`,
      `setsid env -i PATH=$PATH ${sleeper(mark)} &`,
      // One drops its mark: it is found by having been seen, every 200 ms on an idle machine.
      "sleep 2; echo done",
    ].join("\n");
    const { peer, lease } = await begin(script);
    const report = await peer.reportOf(lease);
    assert.equal(report.outcome, "succeeded");
    assert.equal(peer.logText(lease), "done\n");
    assert.deepEqual(processesWith(mark), []);
  });

  test("are killed without a report when the lease is lost", async () => {
    const mark = marker();
    const { peer, lease } = await begin(`trap '' TERM; ${sleeper(mark)}; sleep 300`);
    await alive(mark, 1);
    peer.send({ type: "lease_lost", jobs: [{ ...lease, reason: "a newer attempt exists" }] });
    await gone(mark);
    const next = shellJob("echo next", { job: lease.job, attempt: 2 });
    peer.send({ type: "assign", jobs: [next] });
    assert.equal((await peer.reportOf(next)).outcome, "succeeded");
    assert.ok(!peer.reports().some((report) => report.token === lease.token));
  });

  test("end when their worker is killed with SIGKILL, and so do their folders", async () => {
    const mark = marker();
    const daemon = `setsid env -i PATH=$PATH ${sleeper(mark)} & setsid ${sleeper(mark)} &`;
    const script = `pwd; trap '' TERM HUP; (${daemon}) ; ${sleeper(mark)}; sleep 300`;
    const { worker, peer, lease } = await begin(script);
    await alive(mark, 2);
    await eventually(() => peer.logText(lease).includes("\n"), "it said where it works");
    const folder = join(peer.logText(lease).trim(), "..");
    assert.ok(existsSync(folder));
    worker.kill("SIGKILL");
    await worker.exited;
    await eventually(
      () => processesWith(`: ${mark}`).length <= 1,
      "all but what hid from everything is gone",
    );
    await eventually(() => !existsSync(folder), "its folder is gone");
    for (const pid of processesWith(mark)) process.kill(pid, "SIGKILL");
  });

  test("end at the next start where worker and watchdog were both killed", async () => {
    const mark = marker();
    const { worker } = await begin(`${sleeper(mark)} & ${sleeper(mark)}`);
    await alive(mark, 2);
    for (const pid of processesWith("signalbox-watchdog")) {
      process.kill(pid, "SIGKILL");
    }
    worker.kill("SIGKILL");
    await worker.exited;
    assert.ok(processesWith(mark).length >= 2);
    server.peers.length = 0;
    const second = startWorker(server.url, { data: worker.data });
    await server.peer();
    assert.deepEqual(processesWith(mark), []);
    assert.deepEqual(readdirSync(join(worker.data, "runs")), []);
    assert.match(second.stderr(), /ended what a worker that died here left running/);
  });

  test("a record of another boot or another process kills nobody", async () => {
    const { writeFileSync, mkdirSync } = await import("node:fs");
    const data = mkdtempSync(join(tmpdir(), "signalbox-worker-test-"));
    mkdirSync(join(data, "runs"));
    const record = {
      session: process.pid,
      start_ticks: 1,
      mark: "m.1",
      folder: "/",
      boot: "other",
    };
    writeFileSync(join(data, "runs", "1.json"), JSON.stringify(record));
    writeFileSync(join(data, "runs", "2.json"), "{");
    startWorker(server.url, { data });
    await server.peer();
    assert.deepEqual(readdirSync(join(data, "runs")), []);
    rmSync(data, { recursive: true, force: true });
  });

  test("go on through a drain, and the worker leaves with 0 when they ended", async () => {
    const { worker, peer, lease } = await begin("echo up; sleep 0.6; echo end");
    await eventually(() => peer.logText(lease) === "up\n", "it runs");
    worker.kill("SIGTERM");
    await eventually(() => peer.of("draining").length === 1, "it says that it drains");
    const late = shellJob("echo no");
    peer.send({ type: "assign", jobs: [late] });
    assert.equal((await peer.reportOf(lease)).outcome, "succeeded");
    assert.equal(peer.logText(lease), "up\nend\n");
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    const rejected = peer.of("rejected").flatMap((frame) => frame.jobs);
    assert.deepEqual([rejected[0]!.token, rejected[0]!.reason], [late.token, "draining"]);
  });

  test("are given back at a second signal", async () => {
    const mark = marker();
    const { worker, peer, lease } = await begin(sleeper(mark));
    await alive(mark, 1);
    worker.kill("SIGTERM");
    await eventually(() => peer.of("draining").length === 1, "it drains");
    worker.kill("SIGINT");
    assert.equal((await peer.reportOf(lease)).outcome, "released");
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.deepEqual(processesWith(mark), []);
    assert.ok(!isRunning(worker.pid));
  });

  test("an idle worker without a server leaves at once when asked", async () => {
    const worker = startWorker("ws://127.0.0.1:9");
    await eventually(() => worker.stderr().includes("no server"), "it tried");
    worker.kill("SIGTERM");
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });
});
