/**
 * One PostgreSQL for everybody in a run: the embedded one with the settings of production (fsync and
 * synchronous_commit on), in a folder that is removed at the end. Each contestant has a database of
 * its own in it.
 */
import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import postgres from "postgres";
import { superuserUrl } from "../../src/db/embedded/cluster.ts";
import { readRecord } from "../../src/db/embedded/record.ts";
import { SETTINGS, type Settings } from "../../src/db/embedded/settings.ts";
import { startEmbedded } from "../../src/db/embedded.ts";
import { flag } from "./options.ts";

/** Every statement is counted. */
export const COUNTED: Settings = { shared_preload_libraries: "'pg_stat_statements'" };

export interface Cluster {
  folder: string;
  /** Of the postmaster; its children are the server's processes. */
  pid: number;
  /** A database that is empty unless it was kept, owned by the role that its URL names. */
  createDatabase(name: string): Promise<string>;
  /** As the superuser; `database` is ours unless said. */
  admin(database?: string): postgres.Sql;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Kept after the run, and taken up again by the next one that names it. */
  keepIn?: string;
  /** Beside those of production. */
  settings?: Settings;
}

export async function startCluster({
  keepIn,
  settings: own,
}: ClusterOptions = {}): Promise<Cluster> {
  const folder = keepIn ?? (await mkdtemp(join(tmpdir(), "signalbox-bench-")));
  if (keepIn !== undefined) await mkdir(folder, { recursive: true });
  // PostgreSQL runs as another user where we are root.
  await chmod(folder, 0o755);
  const dataDir = join(folder, "data");
  const quiet = () => {};
  const settings = { ...SETTINGS, ...(flag("statements") ? COUNTED : {}), ...own };
  const log = { info: quiet, warn: console.warn };
  const embedded = await startEmbedded({ dataDir, log, settings });
  const record = (await readRecord(dataDir))!;
  const pid = embedded.pid!;
  // However the run ends, neither a server nor its files stay; those to keep were written with fsync.
  const clear = () => {
    try {
      process.kill(pid, "SIGQUIT");
    } catch {
      // It is gone already.
    }
    if (keepIn === undefined)
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  process.once("exit", clear);
  const open: postgres.Sql[] = [];
  const admin = (database = "postgres") => {
    const url = new URL(superuserUrl(record));
    url.pathname = `/${database}`;
    const sql = postgres(url.href, { max: 1, onnotice: quiet });
    open.push(sql);
    return sql;
  };
  return {
    folder,
    pid,
    admin,
    createDatabase: async (name) => {
      const sql = postgres(embedded.url, { max: 1, onnotice: quiet });
      const [old] = await sql`select from pg_database where datname = ${name}`;
      if (!old) await sql.unsafe(`create database ${name}`);
      await sql.end();
      const url = new URL(embedded.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    stop: async () => {
      await Promise.all(open.map((sql) => sql.end({ timeout: 1 })));
      await embedded.stop();
      process.off("exit", clear);
      if (keepIn === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
