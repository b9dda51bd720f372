/** Makes a cluster with initdb, and the role and database that Signalbox uses in it. */
import { execFile } from "node:child_process";
import { chown, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import type { Home } from "./home.ts";
import { childEnvironment } from "./postmaster.ts";
import type { Record } from "./record.ts";

const run = promisify(execFile);

export const ROLE = "signalbox";
export const DATABASE = "signalbox";

export function databaseUrl(record: Record): string {
  return `postgres://${ROLE}:${record.password}@127.0.0.1:${record.port}/${DATABASE}`;
}

export function superuserUrl(record: Record): string {
  return `postgres://postgres:${record.superuserPassword}@127.0.0.1:${record.port}/postgres`;
}

/**
 * Runs initdb unless the cluster exists. It works in a folder of its own that is renamed at the
 * end, so that an initdb that was killed is simply done again. The locale is PostgreSQL's own
 * C.UTF-8, which needs no locale on the machine and never changes with its libraries.
 */
export async function ensureCluster({ place, record, path }: Home): Promise<boolean> {
  if (await stat(join(place.data, "PG_VERSION")).catch(() => undefined)) {
    await checkVersion(place.data, place.binaries.version);
    return false;
  }
  const half = join(path, "data.half");
  const passwordFile = join(path, "initdb-password");
  await rm(half, { recursive: true, force: true });
  await writeFile(passwordFile, record.superuserPassword, { mode: 0o600 });
  if (place.account) await chown(passwordFile, place.account.uid, place.account.gid);
  try {
    await run(place.binaries.initdb, [...INITDB, `--pgdata=${half}`, `--pwfile=${passwordFile}`], {
      cwd: "/",
      env: childEnvironment(place),
      ...(place.account ? { uid: place.account.uid, gid: place.account.gid } : {}),
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`PostgreSQL could not make a cluster in ${half}:\n${stderr ?? error}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  const main = join(half, "postgresql.conf");
  await writeFile(main, `${await readFile(main, "utf8")}\ninclude = 'signalbox.conf'\n`);
  await rename(half, place.data);
  return true;
}

const INITDB = [
  "--username=postgres",
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--no-instructions",
];

async function checkVersion(data: string, version: string): Promise<void> {
  const found = (await readFile(join(data, "PG_VERSION"), "utf8")).trim();
  const ours = version.split(".")[0];
  if (found === ours) return;
  throw new Error(
    `The database in ${data} was made by PostgreSQL ${found}, and this Signalbox brings ${ours}: ` +
      'see docs/database.md, "A new major version".',
  );
}

/** Makes role and database; a start that was cut short between the two is completed. */
export async function ensureDatabase(record: Record): Promise<void> {
  const sql = postgres(superuserUrl(record), { max: 1, onnotice: () => {} });
  try {
    const roles = await sql`select 1 from pg_roles where rolname = ${ROLE}`;
    const attributes = `login createdb password '${record.password}'`;
    if (roles.length === 0) await sql.unsafe(`create role ${ROLE} ${attributes}`);
    const databases = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (databases.length === 0) await sql.unsafe(`create database ${DATABASE} owner ${ROLE}`);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
