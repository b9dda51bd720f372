import assert from "node:assert/strict";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { type Account, canReach, databaseAccount, isRoot } from "../../src/db/embedded/account.ts";
import { copyBinaries, findBinaries } from "../../src/db/embedded/binaries.ts";
import { findPostmaster, stopPostmaster } from "../../src/db/embedded/postmaster.ts";
import { RECORD_FILE } from "../../src/db/embedded/record.ts";
import { disposableFolder, postmasterPid } from "../support/database.ts";
import { runScript, type Script, type ScriptOptions } from "../support/script.ts";

const CHILD = fileURLToPath(new URL("../support/embedded_child.ts", import.meta.url));
const NOBODY: Account = { name: "nobody", uid: 65_534, gid: 65_534 };
const LIMIT = { timeout: 60_000 };

let top: string;
/** On a disk: binaries may be copied there, and run from nowhere in memory. */
let fallback: string;
let scripts: Script[] = [];

function launch(dataDir: string, options: ScriptOptions = {}): Script {
  const script = runScript(CHILD, [dataDir, fallback], options);
  scripts.push(script);
  return script;
}

async function up(script: Script): Promise<{ url: string; pid: number }> {
  return JSON.parse(await script.line("up "));
}

async function stop(script: Script): Promise<void> {
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

async function ownerOf(pid: number): Promise<number> {
  return (await stat(`/proc/${pid}`)).uid;
}

describe("whose PostgreSQL it is", () => {
  beforeEach(async () => {
    top = await disposableFolder(0o755);
    fallback = await mkdtemp(join(await realpath(tmpdir()), "signalbox-fallback-"));
    await chmod(fallback, 0o755);
    scripts = [];
  });
  afterEach(async () => {
    for (const script of scripts) script.child.kill("SIGKILL");
    await Promise.all(scripts.map((script) => script.exit));
    for (const folder of await readdir(fallback)) {
      const left = await findPostmaster(join(fallback, folder, "data"));
      if (left) await stopPostmaster(left, 5_000);
    }
    await rm(top, { recursive: true, force: true });
    await rm(fallback, { recursive: true, force: true });
  });

  test("it finds its database again when its record was lost", LIMIT, async () => {
    const dataDir = join(top, "data");
    const first = launch(dataDir);
    const { url } = await up(first);
    await ask(url, "create table kept as select generate_series(1, 10) as n");
    process.kill(first.pid, "SIGKILL");
    await first.exit;
    await rm(join(dataDir, RECORD_FILE));
    const second = launch(dataDir);
    const after = await up(second);
    assert.notEqual(new URL(after.url).password, new URL(url).password);
    assert.equal((await ask(after.url, "select count(*)::int as n from kept"))[0]!.n, 10);
    await stop(second);
  });

  test("it does not begin an empty database in place of one that is gone", LIMIT, async () => {
    const dataDir = join(top, "data");
    const first = launch(dataDir);
    await up(first);
    await stop(first);
    await rm(join(dataDir, "postgres"), { recursive: true });
    const second = launch(dataDir);
    assert.equal(await second.exit, 1);
    assert.match(second.lines.join("\n"), /is gone: restore it from a backup/);
  });

  test("it says so where the cluster is of another major version", LIMIT, async () => {
    const dataDir = join(top, "data");
    const first = launch(dataDir);
    await up(first);
    await stop(first);
    await writeFile(join(dataDir, "postgres/data/PG_VERSION"), "17\n");
    const second = launch(dataDir);
    assert.equal(await second.exit, 1);
    assert.match(
      second.lines.join("\n"),
      /was made by PostgreSQL 17, and this Signalbox brings 18/,
    );
  });

  if (isRoot()) rootTests();
  else test("an ordinary user runs it as himself", LIMIT, ordinaryUser({}));
});

/** Root can become anybody; an ordinary user has seen the above as himself. */
function rootTests(): void {
  test(
    "root lends it an unprivileged user, whom alone the data folder lets in",
    LIMIT,
    async () => {
      const dataDir = join(top, "data");
      const script = launch(dataDir);
      const { pid } = await up(script);
      const account = await databaseAccount(() => {});
      assert.equal(await ownerOf(pid), account.uid);
      const [folder, data] = [await stat(dataDir), await stat(join(dataDir, "postgres/data"))];
      assert.deepEqual([folder.uid, folder.gid, folder.mode & 0o777], [0, account.gid, 0o710]);
      assert.deepEqual([data.uid, data.mode & 0o777], [account.uid, 0o700]);
      await stop(script);
    },
  );

  test("below a folder that its user cannot enter, it lives elsewhere", LIMIT, async () => {
    const closed = join(top, "closed");
    await mkdir(closed, { mode: 0o700 });
    const dataDir = join(closed, "data");
    // A strict umask must not lock the database's user out of what is made for it.
    const umask = process.umask(0o077);
    const first = launch(dataDir);
    process.umask(umask);
    const before = await up(first);
    await ask(before.url, "create table kept as select generate_series(1, 10) as n");
    const { home } = JSON.parse(await readFile(join(dataDir, RECORD_FILE), "utf8"));
    assert.ok(home.startsWith(fallback), home);
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700, "the data folder stays closed");
    assert.equal((await stat(home)).mode & 0o777, 0o700);
    process.kill(first.pid, "SIGKILL");
    await first.exit;
    assert.equal(await postmasterPid(dataDir), before.pid);
    const second = launch(dataDir);
    assert.deepEqual(await up(second), before);
    assert.equal((await ask(before.url, "select count(*)::int as n from kept"))[0]!.n, 10);
    // A data folder that was removed gets a new database; the old one is kept aside.
    process.kill(second.pid, "SIGKILL");
    await second.exit;
    await rm(dataDir, { recursive: true });
    const third = launch(dataDir);
    const anew = await up(third);
    await assert.rejects(ask(anew.url, "select 1 from kept"), /does not exist/);
    assert.match(third.lines.join("\n"), /former database was moved to/);
    await stop(third);
  });

  test("binaries that its user cannot reach are copied for it", LIMIT, async () => {
    const original = await findBinaries();
    const copy = await copyBinaries(original, join(fallback, "dist"));
    const account = await databaseAccount(() => {});
    assert.ok(await canReach(account, join(copy.root, "bin")));
    assert.equal((await stat(copy.postgres)).mode & 0o777, 0o755);
    assert.deepEqual(await copyBinaries(original, join(fallback, "dist")), copy);
    assert.deepEqual(await readdir(join(fallback, "dist")), [original.version]);
  });

  test("an ordinary user runs it as himself", LIMIT, ordinaryUser({ ...NOBODY }));

  test("what an ordinary user began, root goes on with as that user", LIMIT, async () => {
    if (!(await reachable())) return;
    const dataDir = join(top, "data");
    await mkdir(dataDir, { mode: 0o700 });
    await chown(dataDir, NOBODY.uid, NOBODY.gid);
    const first = launch(dataDir, NOBODY);
    const { url } = await up(first);
    await stop(first);
    const second = launch(dataDir);
    const after = await up(second);
    assert.equal(after.url, url);
    assert.equal(await ownerOf(after.pid), NOBODY.uid);
    await stop(second);
  });

  test("what root began is refused to others with a sentence", LIMIT, async () => {
    if (!(await reachable())) return;
    const dataDir = join(top, "data");
    const first = launch(dataDir);
    await up(first);
    await stop(first);
    const second = launch(dataDir, NOBODY);
    assert.equal(await second.exit, 1);
    assert.match(second.lines.join("\n"), /cannot be used \(EACCES\): start Signalbox as the user/);
  });
}

/** Whether nobody can read this checkout and its runtime; not so in a clone under /root. */
async function reachable(): Promise<boolean> {
  const checks = [CHILD, process.execPath].map((path) => canReach(NOBODY, join(path, "..")));
  return (await Promise.all(checks)).every(Boolean);
}

function ordinaryUser(who: ScriptOptions): () => Promise<void> {
  return async () => {
    if (!(await reachable())) return;
    const uid = who.uid ?? process.getuid!();
    const dataDir = join(top, "data");
    await mkdir(dataDir, { mode: 0o700 });
    await chown(dataDir, uid, who.gid ?? process.getgid!());
    const script = launch(dataDir, who);
    const { url, pid } = await up(script);
    assert.equal(await ownerOf(pid), uid);
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
    assert.equal((await ask(url, "select 1 as one"))[0]!.one, 1);
    await stop(script);
  };
}
