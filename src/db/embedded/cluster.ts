/** Makes a cluster with initdb, and the role and database that Signalbox uses in it. */
import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chown, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import postgres from "postgres";
import type { Home } from "./home.ts";
import { childEnvironment, type Place } from "./postmaster.ts";
import type { Record } from "./record.ts";

const run = promisify(execFile);

export const ROLE = "signalbox";
export const DATABASE = "signalbox";

export function databaseUrl(record: Record, database = DATABASE): string {
  return `postgres://${ROLE}:${record.password}@127.0.0.1:${record.port}/${database}`;
}

export function superuserUrl(record: Record): string {
  return `postgres://postgres:${record.superuserPassword}@127.0.0.1:${record.port}/postgres`;
}

export async function clusterExists(data: string): Promise<boolean> {
  return await stat(join(data, "PG_VERSION")).then(
    () => true,
    () => false,
  );
}

/**
 * Runs initdb. It works in a folder of its own that is renamed at the end, so that one whose server
 * was killed is simply done again; it may still be at work, hence the new name each time. The locale is
 * PostgreSQL's own C.UTF-8, which needs no locale on the machine and never changes with its libraries.
 */
export async function makeCluster({ place, record, path }: Home): Promise<void> {
  await removeHalves(path);
  const half = join(path, `half-${randomUUID()}`);
  const passwordFile = `${half}.password`;
  await writeFile(passwordFile, record.superuserPassword, { mode: 0o600 });
  if (place.account) await chown(passwordFile, place.account.uid, place.account.gid);
  try {
    const flags = [...INITDB, `--pgdata=${half}`, `--pwfile=${passwordFile}`];
    await run(place.binaries.initdb, flags, runAs(place));
  } catch (error) {
    throw initdbFailure(half, error as Error & { stderr?: string });
  } finally {
    await rm(passwordFile, { force: true });
  }
  const main = join(half, "postgresql.conf");
  await writeFile(main, `${await readFile(main, "utf8")}\ninclude = 'signalbox.conf'\n`);
  await rename(half, place.data);
}

async function removeHalves(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    // One that is still being filled cannot be emptied; the next start removes it.
    if (!name.startsWith("half-")) continue;
    await rm(join(path, name), { recursive: true, force: true }).catch(() => {});
  }
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

function runAs(place: Place) {
  const { account } = place;
  return {
    cwd: "/",
    env: childEnvironment(place),
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
  };
}

function initdbFailure(folder: string, error: Error & { stderr?: string }): Error {
  const said = (error.stderr || error.message).trim();
  let hint = "";
  if (said.includes("could not look up effective user ID")) {
    hint = `PostgreSQL needs a name for user ${process.getuid?.()}: give it a line in /etc/passwd, `;
  } else if (/ENOENT|not found|cannot open shared object/.test(said)) {
    hint = "Its binaries do not run on this system (they need glibc): take another image, ";
  }
  if (hint) hint += "or set DATABASE_URL to a PostgreSQL 15 or later.\n";
  return new Error(`PostgreSQL could not make a cluster in ${folder}. ${hint}${said}`);
}

/** A cluster of another major version cannot be opened; say so before PostgreSQL does. */
export async function checkVersion({ data, binaries }: Place): Promise<void> {
  const found = (await readFile(join(data, "PG_VERSION"), "utf8")).trim();
  const ours = binaries.version.split(".")[0];
  if (found === ours) return;
  throw new Error(
    `The database in ${data} was made by PostgreSQL ${found}, and this Signalbox brings ${ours}: ` +
      'see "A new major version" in docs/database.md.',
  );
}

/**
 * Makes role and database and sets the role's password; a start that was cut short between the
 * steps is completed. Throws where the passwords are wrong. Returns the server's version ("18.4").
 */
export async function ensureDatabase(record: Record): Promise<string> {
  const sql = postgres(superuserUrl(record), { max: 1, onnotice: () => {}, connect_timeout: 30 });
  try {
    const roles = await sql`select 1 from pg_roles where rolname = ${ROLE}`;
    if (roles.length === 0) {
      await sql.unsafe(`create role ${ROLE} login createdb password '${record.password}'`);
    }
    const databases = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (databases.length === 0) await sql.unsafe(`create database ${DATABASE} owner ${ROLE}`);
    const [row] = await sql<{ server_version: string }[]>`show server_version`;
    return row?.server_version.split(" ")[0] ?? "";
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Sets the record's passwords in a cluster that is not running, for a data folder that has lost its
 * `database.json`: PostgreSQL's single-user mode asks for none.
 */
export async function resetPasswords(place: Place, record: Record): Promise<void> {
  const statements = [
    `alter role postgres password '${record.superuserPassword}'`,
    `alter role ${ROLE} password '${record.password}'`,
  ];
  const child = spawn(place.binaries.postgres, ["--single", "-D", place.data, "postgres"], {
    ...runAs(place),
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin.end(`${statements.join("\n")}\n`);
  const code = await new Promise((resolve) => {
    child.on("error", resolve);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`New passwords could not be set in ${place.data} (${code}).`);
}
