/**
 * One PostgreSQL for all test processes of this user, without durability, so that a test file
 * starts in milliseconds. Whoever comes first starts it (under a guard); a watchdog process removes
 * it when nobody has used it for a while. A template database is migrated once per state of the
 * migrations, and cloned per test.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import type { Sql } from "../../src/db/client.ts";
import { findBinaries } from "../../src/db/embedded/binaries.ts";
import { databaseUrl, ROLE, superuserUrl } from "../../src/db/embedded/cluster.ts";
import { FolderInUse, lockFolder } from "../../src/db/embedded/folder_lock.ts";
import { prepareHome } from "../../src/db/embedded/home.ts";
import { findPostmaster, stopPostmaster } from "../../src/db/embedded/postmaster.ts";
import { processIdentity } from "../../src/db/embedded/process_identity.ts";
import type { Record } from "../../src/db/embedded/record.ts";
import { readRecord } from "../../src/db/embedded/record.ts";
import { FAST_SETTINGS } from "../../src/db/embedded/settings.ts";
import { takeOver } from "../../src/db/embedded/take_over.ts";
import { migrate } from "../../src/db/migrate.ts";
import { ensurePartitions } from "../../src/db/partitions.ts";
import { registerUser } from "./cluster_watchdog.ts";
import { fastFolder } from "./fast_folder.ts";

export interface SharedCluster {
  /** Address for a superuser. */
  admin: string;
  /** The role that owns the test databases. */
  role: string;
  /** Name of the migrated template. */
  template: string;
  /** Address of a test database, as its owner. */
  urlOf(database: string): string;
}

const IDLE_SECONDS = 30;
const JOIN_DEADLINE_MS = 120_000;
const TEMPLATE_LOCK = 7_265_471_199;
const WATCHDOG = fileURLToPath(new URL("./cluster_watchdog.ts", import.meta.url));
const PARTITIONS = fileURLToPath(new URL("../../src/db/partitions.ts", import.meta.url));
const MIGRATIONS = fileURLToPath(new URL("../../drizzle", import.meta.url));

let joined: Promise<SharedCluster> | undefined;

/** Joins once per process. */
export function sharedCluster(): Promise<SharedCluster> {
  const given = process.env.TEST_DATABASE_SERVER;
  joined ??= given ? joinGiven(given) : joinEmbedded();
  return joined;
}

/** A server that somebody else runs, such as one of another major version, by a superuser's URL. */
async function joinGiven(admin: string): Promise<SharedCluster> {
  const cluster = {
    admin,
    role: decodeURIComponent(new URL(admin).username),
    urlOf: (database: string) => {
      const url = new URL(admin);
      url.pathname = `/${database}`;
      return url.href;
    },
  };
  await dropLeaked(admin);
  return { ...cluster, template: await ensureTemplate(cluster) };
}

async function joinEmbedded(): Promise<SharedCluster> {
  const { version } = await findBinaries();
  const key = createHash("sha256")
    .update(JSON.stringify([version, FAST_SETTINGS]))
    .digest("hex");
  const name = `signalbox-test-${process.getuid?.() ?? "user"}-${key.slice(0, 8)}`;
  const folder = join(await fastFolder(), name);
  const release = await takeGuard(folder);
  try {
    await registerUser(folder);
    const record = (await running(folder)) ?? (await start(folder));
    await ensureWatchdog(folder, IDLE_SECONDS);
    const admin = superuserUrl(record);
    const urlOf = (database: string) => databaseUrl(record, database);
    await dropLeaked(admin);
    const cluster = { admin, role: ROLE, urlOf };
    return { ...cluster, template: await ensureTemplate(cluster) };
  } finally {
    await release();
  }
}

/** Waits while another process starts the cluster or makes the template. */
async function takeGuard(folder: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + JOIN_DEADLINE_MS;
  for (;;) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const facts = await stat(folder);
    if (facts.uid !== process.getuid?.()) throw new Error(`${folder} belongs to somebody else.`);
    try {
      return await lockFolder(folder, { name: "guard" });
    } catch (error) {
      // ENOENT: the watchdog removed the folder between the two steps.
      const again = error instanceof FolderInUse || (error as { code?: string }).code === "ENOENT";
      if (!again || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function running(folder: string): Promise<Record | undefined> {
  const record = await readRecord(folder).catch(() => undefined);
  const postmaster = record && (await findPostmaster(join(folder, "postgres/data")));
  if (!postmaster) return undefined;
  try {
    await asSuperuser(superuserUrl(record), (sql) => sql`select 1`);
    return record;
  } catch {
    await stopPostmaster(postmaster, 5_000);
    return undefined;
  }
}

/** What an earlier run left is not worth a recovery: begin anew. */
async function start(folder: string): Promise<Record> {
  await rm(join(folder, "postgres"), { recursive: true, force: true });
  await rm(join(folder, "database.json"), { force: true });
  const home = await prepareHome({ dataDir: folder, warn: () => {} });
  await takeOver(home, { dataDir: folder, settings: FAST_SETTINGS, info: () => {} });
  return home.record;
}

/** Starts a watchdog for the folder unless one lives. */
export async function ensureWatchdog(folder: string, idleSeconds: number): Promise<void> {
  const path = join(folder, "watchdog");
  const [pid, identity] = (await readFile(path, "utf8").catch(() => "")).split(" ");
  if (identity && (await processIdentity(Number(pid))) === identity) return;
  const runFlags = "Deno" in globalThis ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...runFlags, WATCHDOG, folder, String(idleSeconds)], {
    cwd: "/",
    detached: true,
    stdio: "ignore",
  });
  child.unref();
  await writeFile(path, `${child.pid} ${(await processIdentity(child.pid ?? 0)) ?? ""}`);
}

/** Drops databases of test processes that were killed. */
async function dropLeaked(admin: string): Promise<void> {
  await asSuperuser(admin, async (sql) => {
    const rows = await sql<{ datname: string }[]>`
      select datname from pg_database where datname ~ '^t_[0-9]+_'`;
    for (const { datname } of rows) {
      if (await processIdentity(Number(datname.split("_")[1]))) continue;
      await sql.unsafe(`drop database if exists ${datname} with (force)`);
    }
  });
}

/** Migrated once per content of the migrations; partitions are made per day. */
async function ensureTemplate(cluster: Omit<SharedCluster, "template">): Promise<string> {
  const hash = createHash("sha256").update(new Date().toISOString().slice(0, 10));
  hash.update(await readFile(PARTITIONS));
  for (const file of (await readdir(MIGRATIONS)).sort()) {
    if (file.endsWith(".sql")) hash.update(await readFile(join(MIGRATIONS, file)));
  }
  const template = `template_${hash.digest("hex").slice(0, 16)}`;
  await asSuperuser(cluster.admin, async (sql) => {
    await sql`select pg_advisory_lock(${TEMPLATE_LOCK})`;
    const found = await sql`select 1 from pg_database where datname = ${template}`;
    if (found.length > 0) return;
    const half = "template_half";
    await sql.unsafe(`drop database if exists ${half} with (force)`);
    await sql.unsafe(`create database ${half} owner ${cluster.role}`);
    await migrate(cluster.urlOf(half));
    await addPartitions(cluster.urlOf(half));
    await sql.unsafe(`alter database ${half} allow_connections false`);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${half}`;
    await sql.unsafe(`alter database ${half} rename to ${template}`);
  });
  return template;
}

export async function addPartitions(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await ensurePartitions(sql as unknown as Sql, Date.now());
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** A connection for one purpose; nothing stays open that would keep a process alive. */
export async function asSuperuser<T>(
  admin: string,
  use: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres(admin, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
