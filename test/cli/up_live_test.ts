/** `signalbox up` as a newcomer has it: its own database, its own worker, nothing set. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { findHolder } from "../../src/cli/up/lock_holder.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { environOf, isRunning, processesWith } from "../support/processes.ts";
import { freePort } from "../support/system.ts";
import { type CliProcess, runCli, startCli } from "./run_cli.ts";

let folder: string;
let port: number;
let all: CliProcess[];
let database: TestDatabase;

before(async () => {
  database = await testDatabase();
});
after(() => database?.drop());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-up-"));
  port = await freePort();
  all = [];
});

afterEach(async () => {
  for (const each of all) {
    if (each.child.exitCode === null && each.child.signalCode === null) {
      each.child.kill("SIGTERM");
      each.child.kill("SIGINT");
      await each.done;
    }
  }
  for (const pid of processesWith(folder)) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Ready when this resolves. `databaseUrl`: no database of its own, which takes longer. */
async function up(databaseUrl?: string): Promise<CliProcess> {
  const started = startCli(["up", "--port", String(port), "--slots", "2"], {
    cwd: folder,
    env: { SIGNALBOX_LOG_LEVEL: "warn", ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}) },
  });
  all.push(started);
  await eventually(
    () => {
      if (started.child.exitCode !== null) throw new Error(started.stderr());
      return /Ctrl-C/.test(started.stdout());
    },
    "it is ready",
    { deadlineMs: 60_000 },
  );
  return started;
}

const run = (...args: string[]) => runCli(args, { cwd: folder });
const workerPid = () => findHolder(join(folder, ".signalbox/worker"));

describe("signalbox up", () => {
  test("gives an address, a link that works once, and a job without any setting", async () => {
    const running = await up();
    assert.match(running.stdout(), new RegExp(`ready: http://127\\.0\\.0\\.1:${port}/board\n`));
    const link = /Sign in once with: (\S+)/.exec(running.stdout())?.[1] as string;
    const signIn = async () =>
      (await fetch(link, { redirect: "manual" })).headers.get("set-cookie");
    assert.match((await signIn()) ?? "", /HttpOnly/);
    assert.equal(await signIn(), null);
    const hello = await run("submit", "--follow", "--", "echo", "hello");
    assert.deepEqual(hello, { code: 0, stdout: "hello\n", stderr: "" });
    const client = join(folder, ".signalbox/client.json");
    assert.equal(statSync(client).mode & 0o777, 0o600);
    const { url, token, org } = JSON.parse(readFileSync(client, "utf8"));
    assert.deepEqual([url, org], [`http://127.0.0.1:${port}`, "default"]);
    assert.ok(!environOf(workerPid()!).includes(token));
    const doctor = await run("doctor", "--json");
    const { findings } = JSON.parse(doctor.stdout) as { findings: { name: string }[] };
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.ok(findings.some(({ name }) => name === "partitions"));
  });

  test("lets running jobs finish at Ctrl-C, then leaves nothing behind", async () => {
    const running = await up();
    const gate = join(tmpdir(), `signalbox-gate-${port}`);
    const script = `until [ -e ${gate} ]; do sleep 0.1; done; echo finished`;
    const id = (await run("submit", "--", "sh", "-c", script)).stdout.trim();
    await eventually(async () => {
      return JSON.parse((await run("job", id, "--json")).stdout).state === "running";
    }, "it runs");
    const worker = workerPid() as number;
    running.child.kill("SIGINT");
    await eventually(() => running.stderr().includes("Waiting for running jobs"), "it waits");
    writeFileSync(gate, "");
    const { code, stderr } = await running.done;
    rmSync(gate);
    assert.equal(code, 0);
    assert.match(stderr, /Waiting for running jobs to end\..*\nSignalbox has stopped\.\n$/s);
    assert.ok(!isRunning(worker));
    assert.deepEqual(processesWith(folder), []);
    const stopped = await run("doctor");
    assert.equal(stopped.code, 1);
    assert.match(stopped.stdout, /✗ server .*\n +→ Start it with `signalbox up`/);
    await up();
    const job = JSON.parse((await run("job", id, "--json")).stdout);
    assert.deepEqual([job.state, job.attempt], ["succeeded", 1]);
  });

  test("gives running jobs back at the second Ctrl-C", async () => {
    const running = await up(database.url);
    const id = (await run("submit", "--", "sleep", "600")).stdout.trim();
    await eventually(async () => {
      return JSON.parse((await run("job", id, "--json")).stdout).state === "running";
    }, "it runs");
    running.child.kill("SIGINT");
    await eventually(() => running.stderr().includes("Waiting"), "it waits");
    running.child.kill("SIGINT");
    const { code } = await running.done;
    assert.equal(code, 0);
    assert.deepEqual(processesWith(folder), []);
  });

  test("that is killed loses no work: the next one takes over worker and database", async () => {
    const first = await up();
    const script = "for i in 1 2 3 4 5 6; do echo $i; sleep 1; done";
    const id = (await run("submit", "--", "sh", "-c", script)).stdout.trim();
    const follower = startCli(["job", id, "--follow"], { cwd: folder });
    all.push(follower);
    await eventually(() => follower.stdout().includes("1\n"), "it runs");
    const worker = workerPid();
    first.child.kill("SIGKILL");
    await first.done;
    await up();
    assert.equal(workerPid(), worker);
    const { code, stdout } = await follower.done;
    assert.deepEqual([code, stdout], [0, "1\n2\n3\n4\n5\n6\n"]);
    assert.equal(JSON.parse((await run("job", id, "--json")).stdout).attempt, 1);
  });

  test("starts its worker again when that is killed", async () => {
    await up(database.url);
    const worker = (await eventually(workerPid, "it has a worker")) as number;
    process.kill(worker, "SIGKILL");
    await eventually(() => workerPid() !== undefined && workerPid() !== worker, "another worker");
    const again = await run("submit", "--follow", "--", "echo", "again");
    assert.equal(again.stdout, "again\n");
  });

  test("says in a sentence that its port or its folder is taken", async () => {
    await up();
    const same = await runCli(["up", "--port", String(port)], { cwd: folder });
    assert.notEqual(same.code, 0);
    assert.match(same.stderr, /^signalbox: .*\n$/m);
    const elsewhere = join(folder, "other");
    const taken = await runCli(["up", "--port", String(port)], {
      env: { SIGNALBOX_DATA: elsewhere, SIGNALBOX_LOG_LEVEL: "silent" },
    });
    assert.notEqual(taken.code, 0);
    assert.match(taken.stderr, new RegExp(`^signalbox: .*${port}.*\n$`));
  });
});
