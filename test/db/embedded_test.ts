import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import { boundLog } from "../../src/db/embedded/log_file.ts";
import { type Embedded, startEmbedded } from "../../src/db/embedded.ts";
import { disposableFolder, killAndWait, postmasterPid } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

const said: string[] = [];
const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) };

async function ask<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

describe("embedded PostgreSQL", () => {
  let dataDir: string;
  let embedded: Embedded;

  before(async () => {
    // The folder above must be open to the database's user, as most folders are.
    dataDir = join(await disposableFolder(0o755), "data");
    embedded = await startEmbedded({ dataDir, log });
  });
  after(async () => {
    await embedded.stop();
    await rm(join(dataDir, ".."), { recursive: true, force: true });
  });

  test("is PostgreSQL 18 with UTF-8 and a locale that needs none on the machine", async () => {
    const [row] = await ask(
      embedded.url,
      (sql) => sql`
        select current_setting('server_version_num')::int / 10000 as version,
               getdatabaseencoding() as encoding, d.datlocprovider as provider, d.datlocale as locale,
               current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync,
               upper('ä') as upper, rolsuper as super
        from pg_database d, pg_roles r
        where d.datname = current_database() and r.rolname = current_user`,
    );
    assert.deepEqual(
      { ...row },
      {
        version: 18,
        encoding: "UTF8",
        provider: "b",
        locale: "C.UTF-8",
        fsync: "on",
        sync: "on",
        upper: "Ä",
        super: false,
      },
    );
  });

  test("keeps its secrets from other users of the machine", async () => {
    const mode = async (path: string) => (await stat(join(dataDir, path))).mode & 0o777;
    assert.equal((await mode("")) & 0o067, 0, "others may not even enter, the group may not list");
    assert.equal(await mode("database.json"), 0o600);
    assert.equal(await mode("postgres"), 0o700);
    assert.equal(await mode("postgres/data"), 0o700);
    const wrong = embedded.url.replace(/:[^:@]+@/, ":wrong@");
    await assert.rejects(
      ask(wrong, (sql) => sql`select 1`),
      /password authentication failed/,
    );
    const trusted = await readFile(join(dataDir, "postgres/data/pg_hba.conf"), "utf8");
    assert.ok(!/^\w.*trust/m.test(trusted));
  });

  test("gives PostgreSQL nothing of our environment, and a session of its own", () => {
    const proc = `/proc/${embedded.pid}`;
    if (process.platform !== "linux") return;
    const names = readFileSync(`${proc}/environ`, "utf8")
      .split("\0")
      .map((v) => v.split("=")[0]);
    const known = ["PATH", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PGDATA", "PG_GRANDPARENT_PID", ""];
    assert.deepEqual(
      names.filter((name) => !known.includes(name!)),
      [],
    );
    const fields = readFileSync(`${proc}/stat`, "utf8").split(") ")[1]!.split(" ");
    assert.equal(Number(fields[3]), embedded.pid, "session leader: Ctrl-C does not reach it");
  });

  test("tells a second server who holds the data folder", async () => {
    await assert.rejects(startEmbedded({ dataDir, log }), (error: Error) => {
      assert.match(error.message, new RegExp(`in use by process ${process.pid} `));
      assert.match(error.message, /SIGNALBOX_DATA/);
      return true;
    });
  });

  test("comes back by itself on the same port after its postmaster was killed", async () => {
    const sql = postgres(embedded.url, { max: 2, onnotice: () => {} });
    await sql`create table kept (n int)`;
    await sql`insert into kept select generate_series(1, 1000)`;
    const pid = embedded.pid!;
    let exits = 0;
    const forget = embedded.onExit(() => exits++);
    await killAndWait(pid);
    await eventually(() => embedded.pid && embedded.pid !== pid, "a new postmaster");
    const rows = await eventually(() => sql`select count(*)::int as n from kept`, "an answer");
    assert.equal(rows[0]!.n, 1000);
    assert.equal(exits, 1);
    assert.equal(await postmasterPid(dataDir), embedded.pid);
    forget();
    await sql.end();
  });

  test("waits for its port when somebody else took it while it was down", async () => {
    const port = Number(new URL(embedded.url).port);
    const pid = embedded.pid!;
    const squatter = createServer();
    await killAndWait(pid);
    // The supervisor looks every 250 ms; whoever gets the port first, it must end well.
    const got = await new Promise<boolean>((resolve) => {
      squatter.once("error", () => resolve(false));
      squatter.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (got) await eventually(() => said.some((line) => line.includes("did not start")), "a try");
    await new Promise<void>((resolve) => squatter.close(() => resolve()));
    await eventually(() => embedded.pid && embedded.pid !== pid, "a new postmaster");
    const [row] = await ask(embedded.url, (sql) => sql`select count(*)::int as n from kept`);
    assert.equal(row!.n, 1000);
  });

  test("keeps data, passwords and port across a clean restart", async () => {
    const { url } = embedded;
    const pid = embedded.pid!;
    await embedded.stop();
    assert.equal(await postmasterPid(dataDir), undefined);
    assert.throws(() => process.kill(pid, 0));
    embedded = await startEmbedded({ dataDir, log });
    assert.equal(embedded.url, url);
    const [row] = await ask(url, (sql) => sql`select count(*)::int as n from kept`);
    assert.equal(row!.n, 1000);
    const logged = await readFile(join(dataDir, "postgres/server.log"), "utf8");
    assert.ok(logged.includes("database system was shut down at"), "no recovery was needed");
  });

  test("takes another port when its own is taken at start", async () => {
    const { url } = embedded;
    await embedded.stop();
    const squatter = createServer();
    await new Promise<void>((resolve) =>
      squatter.listen(Number(new URL(url).port), "127.0.0.1", resolve),
    );
    embedded = await startEmbedded({ dataDir, log });
    squatter.close();
    assert.notEqual(new URL(embedded.url).port, new URL(url).port);
    const [row] = await ask(embedded.url, (sql) => sql`select count(*)::int as n from kept`);
    assert.equal(row!.n, 1000);
  });

  test("takes settings of the operator from local.conf", async () => {
    const path = join(dataDir, "postgres/data/local.conf");
    await embedded.stop();
    await writeFile(path, "work_mem = '7MB'\n", { mode: 0o644 });
    embedded = await startEmbedded({ dataDir, log });
    const [row] = await ask(embedded.url, (sql) => sql`show work_mem`);
    assert.equal(row!.work_mem, "7MB");
  });

  test("empties its log under PostgreSQL's pen when it has grown", async () => {
    const path = join(dataDir, "postgres/server.log");
    await truncate(path, 9 * 2 ** 20);
    assert.equal(await boundLog(path), 0);
    await ask(embedded.url, (sql) => sql`select no_such_column`).catch(() => {});
    const text = await eventually(() => readFile(path, "utf8"), "a new line in the log");
    assert.ok(text.startsWith("20") && text.includes("no_such_column"));
    assert.equal((await stat(`${path}.1`)).size, 9 * 2 ** 20);
  });
});
