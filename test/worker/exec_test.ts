import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import type { Assignment } from "../../src/messages/frames.ts";
import {
  assignment,
  type ScriptedPeer,
  ScriptedServer,
  shellJob,
} from "../support/scripted_server.ts";
import { cleanUpWorkers, startWorker, type WorkerProcess } from "../support/worker_process.ts";

describe("an exec job", () => {
  let server: ScriptedServer;
  let worker: WorkerProcess;
  let peer: ScriptedPeer;

  before(async () => {
    server = await ScriptedServer.start();
    worker = startWorker(server.url, { killGraceSeconds: 0.5, env: { AWS_SECRET_KEY: "hush" } });
    peer = await server.peer();
  });
  after(async () => {
    await cleanUpWorkers();
    await server.stop();
  });

  async function run(job: Assignment) {
    peer.send({ type: "assign", jobs: [job] });
    const report = await peer.reportOf(job);
    return { report, log: peer.logText(job) };
  }

  test("sees a clean environment and nothing of the worker's", async () => {
    const job = shellJob("env", {
      payload: { command: ["env"], env: { GREETING: "hello", SIGNALBOX_ORG: "spoofed" } },
    });
    const { report, log } = await run(job);
    assert.equal(report.outcome, "succeeded");
    const names = log
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]!);
    const expected = ["GREETING", "HOME", "LANG", "PATH", "TMPDIR"];
    const facts = ["ATTEMPT", "INPUTS", "JOB_ID", "JOB_NAME", "MAX_ATTEMPTS", "ORG", "QUEUE"];
    for (const fact of [...facts, "RESULT", "RUN"]) expected.push(`SIGNALBOX_${fact}`);
    assert.deepEqual(names.sort(), expected.sort());
    assert.match(log, new RegExp(`SIGNALBOX_JOB_ID=${job.job}`));
    assert.match(log, /SIGNALBOX_ORG=default/);
  });

  test("has descriptors 0, 1 and 2 only, and its own session and group", async () => {
    const { log } = await run(
      assignment({
        payload: {
          command: ["sh", "-c", "ls /proc/$$/fd; cat /proc/$$/stat"],
        },
      }),
    );
    const lines = log.trim().split("\n");
    assert.deepEqual(lines.slice(0, -1), ["0", "1", "2"]);
    const [pid, , , , group, session] = (lines.at(-1) ?? "").split(" ");
    assert.equal(group, pid);
    assert.equal(session, pid);
  });

  test("works in an empty folder of its own, which is gone afterwards", async () => {
    const { report, log } = await run(
      shellJob(
        "pwd; ls -A; stat -c %a .; echo $HOME; touch a; mkdir -p d/e; chmod 0 d; touch $TMPDIR/x",
      ),
    );
    assert.equal(report.outcome, "succeeded");
    const [pwd, mode, home, ...rest] = log.trim().split("\n");
    assert.deepEqual(rest, []);
    assert.equal(mode, "700");
    assert.equal(home, pwd);
    assert.ok(pwd!.startsWith(`${tmpdir()}/signalbox-job-`), pwd!);
    assert.ok(!existsSync(pwd!));
    const outer = pwd!.split("/").at(-2)!;
    assert.ok(!readdirSync(tmpdir()).includes(outer));
  });

  test("can open its standard descriptors again", async () => {
    const { report, log } = await run(
      shellJob("echo one > /dev/stderr; echo two > /dev/stdout; cat /dev/stdin", {
        payload: {
          command: ["sh", "-c", "echo one > /dev/stderr; echo two > /dev/stdout; cat /dev/stdin"],
          stdin: "three\n",
        },
      }),
    );
    assert.equal(report.exit_code, 0);
    assert.equal(log, "one\ntwo\nthree\n");
  });

  test("writes standard output and error in one order", async () => {
    const script = "i=0; while [ $i -lt 500 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done";
    const { report, log } = await run(shellJob(script));
    const expected = Array.from({ length: 500 }, (_, i) => `o${i}\ne${i}\n`).join("");
    assert.equal(log, expected);
    assert.equal(report.log_bytes, expected.length);
  });

  test("finds inputs, and its result is reported", async () => {
    const { report } = await run(
      shellJob('cat "$SIGNALBOX_INPUTS" > "$SIGNALBOX_RESULT"', {
        inputs: { first: { n: 1 }, "0190": ["ä"] },
      }),
    );
    assert.deepEqual(report.result, { first: { n: 1 }, "0190": ["ä"] });
    assert.equal(report.outcome, "succeeded");
  });

  for (const [what, script, why] of [
    ["no JSON", 'echo "{" > "$SIGNALBOX_RESULT"', /no JSON/],
    [
      "too large",
      'head -c 262145 /dev/zero | tr "\\0" 1 > "$SIGNALBOX_RESULT"',
      /more than 262144/,
    ],
    [
      "too deep",
      `printf '%0.s[' $(seq 100) > "$SIGNALBOX_RESULT"; printf '%0.s]' $(seq 100) >> "$SIGNALBOX_RESULT"`,
      /deeper/,
    ],
    ["a link to another file", 'ln -s /etc/hostname "$SIGNALBOX_RESULT"', /cannot be read/],
    ["a fifo", 'mkfifo "$SIGNALBOX_RESULT"', /no plain file/],
  ] as const) {
    test(`fails where its result is ${what}`, async () => {
      const { report } = await run(shellJob(script));
      assert.equal(report.outcome, "failed");
      assert.equal(report.reason, "invalid_result");
      assert.match(report.error!, why);
      assert.equal(report.result, undefined);
    });
  }

  test("that ends with a code or by a signal says so", async () => {
    const code = await run(shellJob("exit 7"));
    assert.equal(code.report.outcome, "failed");
    assert.equal(code.report.exit_code, 7);
    const signal = await run(shellJob("kill -SEGV $$"));
    assert.equal(signal.report.signal, "SIGSEGV");
    assert.equal(signal.report.exit_code, 139);
  });

  test("that cannot be started fails with the shell's code", async () => {
    const { report, log } = await run(assignment({ payload: { command: ["no-such-program"] } }));
    assert.equal(report.outcome, "failed");
    assert.equal(report.exit_code, 127);
    assert.match(`${report.error}${log}`, /no-such-program/);
    const wrong = await run(assignment({ payload: { command: [] } }));
    assert.equal(wrong.report.reason, "invalid_payload");
  });

  test("with a NUL or a surrogate in its command ends only itself", async () => {
    const { report } = await run(assignment({ payload: { command: ["echo", "a\0b"] } }));
    assert.equal(report.outcome, "failed");
    assert.equal(report.reason, "start_failed");
    const next = await run(assignment({ payload: { command: ["echo", "\ud800"] } }));
    assert.equal(next.report.outcome, "succeeded");
  });

  test("reports what it used, and where that was read", async () => {
    const script = "dd if=/dev/zero of=/dev/null bs=100M count=30 2>&1 | tail -n 1 >&2; echo done";
    const { report, log } = await run(shellJob(script));
    assert.match(log, /done\n$/);
    const usage = report.usage!;
    assert.ok(usage.peak_ram_mb! > 80, `peak ${usage.peak_ram_mb}`);
    assert.ok(["proc", "cgroup"].includes(usage.source!.ram!));
    assert.ok(usage.cpu_ms! > 0 && usage.source!.cpu);
    assert.equal(usage.oom_killed, false);
    assert.ok(report.run_ms! > 0);
  });

  test("that is short shows its own memory, not the worker's", async () => {
    const { report } = await run(shellJob("sleep 1"));
    assert.ok(report.usage!.peak_ram_mb! < 20, `peak ${report.usage!.peak_ram_mb}`);
  });

  test("that writes to disk shows what it wrote", async () => {
    // Long enough to be looked at, also by a worker on a busy machine.
    const script = "dd if=/dev/zero of=f bs=1M count=8 conv=fsync 2>/dev/null; sleep 2";
    const { report } = await run(shellJob(script));
    assert.ok(report.usage!.disk_write_bytes! >= 8 * 1024 * 1024, JSON.stringify(report.usage));
  });

  test("keeps the worker's folder closed to others", () => {
    assert.equal(statSync(worker.data).mode & 0o777, 0o700);
  });

  test("runs beside others up to the number of slots, and one more is rejected", async () => {
    const jobs = Array.from({ length: 9 }, () => shellJob("sleep 0.5"));
    const began = performance.now();
    peer.send({ type: "assign", jobs });
    for (const job of jobs.slice(0, 8)) await peer.reportOf(job);
    assert.ok(performance.now() - began < 3000);
    const rejected = peer.of("rejected").flatMap((frame) => frame.jobs);
    assert.deepEqual(
      rejected.map(({ token, reason }) => [token, reason]),
      [[jobs[8]!.token, "no free slot"]],
    );
  });
});
