import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { findPostmaster, stopPostmaster } from "../../src/db/embedded/postmaster.ts";
import { processIdentity } from "../../src/db/embedded/process_identity.ts";
import { disposableFolder, killAndWait, postmasterPid } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { runScript, type Script } from "../support/script.ts";

const CHILD = fileURLToPath(new URL("../support/embedded_child.ts", import.meta.url));

let dataDir: string;
let scripts: Script[] = [];

interface Up {
  url: string;
  pid: number;
}

function launch(): Script {
  const script = runScript(CHILD, [dataDir]);
  scripts.push(script);
  return script;
}

async function up(script: Script): Promise<Up> {
  return JSON.parse(await script.line("up ")) as Up;
}

async function killScript(script: Script): Promise<void> {
  process.kill(script.pid, "SIGKILL");
  await script.exit;
}

async function stopScript(script: Script): Promise<void> {
  script.write("stop\n");
  assert.equal(await script.exit, 0, script.errors());
}

async function ask(url: string, text: string): Promise<postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Processes whose working folder is the cluster's: its postmasters and their children. */
async function postmasters(): Promise<number[]> {
  const data = join(dataDir, "postgres/data");
  const found: number[] = [];
  for (const entry of await readdir("/proc").catch(() => [])) {
    const line = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (line.includes(`-D\0${data}`) && (await processIdentity(Number(entry)))) {
      found.push(Number(entry));
    }
  }
  return found;
}

describe("embedded PostgreSQL after a crash", () => {
  beforeEach(async () => {
    dataDir = await disposableFolder();
    scripts = [];
  });
  afterEach(async () => {
    for (const script of scripts) script.child.kill("SIGKILL");
    await Promise.all(scripts.map((script) => script.exit));
    const left = await findPostmaster(join(dataDir, "postgres/data"));
    if (left) await stopPostmaster(left, 5_000);
    await rm(dataDir, { recursive: true, force: true });
  });

  test("outlives a killed server, and the next server takes it over with its data", {
    timeout: 60_000,
  }, async () => {
    const first = launch();
    const before = await up(first);
    await ask(before.url, "create table kept as select generate_series(1, 500) as n");
    await killScript(first);
    assert.equal(await postmasterPid(dataDir), before.pid, "it is still there");
    const second = launch();
    const after = await up(second);
    assert.deepEqual(after, before, "the same process on the same port");
    assert.ok(second.lines.some((line) => line.includes("taken over")));
    const [row] = await ask(after.url, "select count(*)::int as n from kept");
    assert.equal(row!.n, 500);
    // What was taken over is looked after like a child: started again, and stopped at the end.
    await killAndWait(after.pid);
    await eventually(async () => (await postmasterPid(dataDir)) ?? 0, "a new postmaster");
    await second.line("info PostgreSQL runs again");
    await stopScript(second);
    assert.deepEqual(await postmasters(), []);
  });

  test("comes back when server and postmaster were killed together", {
    timeout: 60_000,
  }, async () => {
    const first = launch();
    const { url, pid } = await up(first);
    await ask(url, "create table kept as select generate_series(1, 500) as n");
    process.kill(first.pid, "SIGKILL");
    await killAndWait(pid);
    await first.exit;
    const second = launch();
    const after = await up(second);
    assert.equal(after.url, url);
    const [row] = await ask(url, "select count(*)::int as n from kept");
    assert.equal(row!.n, 500);
    await stopScript(second);
  });

  test("ends the orphans of a killed postmaster that are deep in a statement", {
    timeout: 60_000,
  }, async () => {
    const first = launch();
    const { url, pid } = await up(first);
    // Computes without a pause, so it does not notice that its postmaster died.
    const busy = ask(url, "select count(*) from generate_series(1, 2000000000)").catch(() => {});
    const running =
      "select 1 from pg_stat_activity where query like '%2000000000%' and pid <> pg_backend_pid()";
    await eventually(async () => (await ask(url, running)).length, "the statement runs");
    process.kill(first.pid, "SIGKILL");
    await killAndWait(pid);
    await first.exit;
    const second = launch();
    assert.equal((await up(second)).url, url);
    await busy;
    assert.deepEqual((await postmasters()).length, 1);
    await stopScript(second);
  });

  test("is not fooled by a pid that belongs to somebody else by now", {
    timeout: 60_000,
  }, async () => {
    const first = launch();
    const { url, pid } = await up(first);
    process.kill(first.pid, "SIGKILL");
    await killAndWait(pid);
    await first.exit;
    // After a reboot pids are given again: the file names a living process that is not PostgreSQL.
    const path = join(dataDir, "postgres/data/postmaster.pid");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/^\d+/, String(process.pid)));
    const lock = join(dataDir, "lock");
    const held = JSON.parse(await readFile(lock, "utf8"));
    await writeFile(lock, JSON.stringify({ ...held, pid: process.pid }));
    const second = launch();
    assert.equal((await up(second)).url, url);
    await stopScript(second);
  });

  test("starts with files that a power cut left empty", { timeout: 60_000 }, async () => {
    const first = launch();
    const { pid } = await up(first);
    process.kill(first.pid, "SIGKILL");
    await killAndWait(pid);
    await first.exit;
    await writeFile(join(dataDir, "postgres/data/postmaster.pid"), "");
    await writeFile(join(dataDir, "lock"), "");
    const second = launch();
    await up(second);
    await stopScript(second);
  });

  test("stops a left-over that has other settings, and starts it with ours", {
    timeout: 60_000,
  }, async () => {
    const first = launch();
    const before = await up(first);
    await killScript(first);
    const conf = join(dataDir, "postgres/data/signalbox.conf");
    const text = await readFile(conf, "utf8");
    await writeFile(conf, text.replace("work_mem = '16MB'", "work_mem = '1MB'"));
    const second = launch();
    const after = await up(second);
    assert.notEqual(after.pid, before.pid);
    assert.equal((await ask(after.url, "show work_mem"))[0]!.work_mem, "16MB");
    await stopScript(second);
  });

  test("is started by one of several servers that come at once, from nothing", {
    timeout: 60_000,
  }, async () => {
    const all = [launch(), launch(), launch(), launch()];
    const verdicts = await Promise.all(
      all.map((script) => Promise.race([script.line("up "), script.exit.then(() => undefined)])),
    );
    assert.equal(verdicts.filter(Boolean).length, 1);
    const refused = all.filter((_, index) => !verdicts[index]);
    for (const script of refused) assert.match(script.lines.join(), /is in use by process \d+/);
    assert.equal((await postmasters()).length, 1);
    await stopScript(all[verdicts.findIndex(Boolean)]!);
  });

  test("survives being killed at any moment of its first start", { timeout: 60_000 }, async () => {
    for (const afterMs of [60, 250, 450, 650, 900]) {
      const script = launch();
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      assert.equal(script.child.exitCode, null, script.lines.join());
      await killScript(script);
    }
    const last = launch();
    const { url } = await up(last);
    assert.equal((await ask(url, "select 1 as one"))[0]!.one, 1);
    assert.equal((await postmasters()).length, 1);
    await stopScript(last);
  });
});
