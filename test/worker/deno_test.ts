import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ScriptedServer, shellJob } from "../support/scripted_server.ts";
import { cleanUpWorkers, startWorker } from "../support/worker_process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The program itself: a signal to the launcher in `.bin` would not reach it. */
const DENO = join(ROOT, "node_modules/deno/deno");

describe("a worker under Deno", () => {
  let server: ScriptedServer;
  before(async () => {
    // The launcher unpacks the program at its first run.
    execFileSync(join(ROOT, "node_modules/.bin/deno"), ["--version"]);
    server = await ScriptedServer.start();
  });
  after(async () => {
    await cleanUpWorkers();
    await server.stop();
  });

  test("runs a job, streams its log, measures it, kills what it leaves, and drains", {
    timeout: 25_000,
  }, async () => {
    const worker = startWorker(server.url, {
      killGraceSeconds: 0.5,
      runtime: [DENO, "run", "-A"],
      env: { HOME: process.env.HOME ?? "/tmp" },
    });
    const peer = await server.peer();
    const script =
      'echo out; echo err > /dev/stderr; ls /proc/$$/fd; sleep 300 & sleep 0.3; echo "[1]" > "$SIGNALBOX_RESULT"';
    const job = shellJob(script);
    const slow = shellJob("trap '' TERM; sleep 300", { timeout_seconds: 0.2 });
    const missing = shellJob("");
    missing.payload = { command: ["no-such-program"] };
    peer.send({ type: "assign", jobs: [job, slow, missing] });
    const report = await peer.reportOf(job);
    assert.equal(report.outcome, "succeeded");
    assert.deepEqual(report.result, [1]);
    assert.equal(peer.logText(job), "out\nerr\n0\n1\n2\n");
    assert.equal(report.usage!.source!.ram, "proc");
    assert.equal((await peer.reportOf(slow)).outcome, "timed_out");
    const failed = await peer.reportOf(missing);
    assert.equal(failed.exit_code, 127, JSON.stringify([failed, peer.logText(missing)]));
    worker.kill("SIGTERM");
    assert.equal((await worker.exited).code, 0);
  });
});
