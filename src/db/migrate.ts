/**
 * Brings a database up to the migrations in `drizzle/`, and tells whether it is there. A server
 * runs on exactly the tables it was written for: a database that is ahead is refused by everybody,
 * one that is behind is migrated by whoever may.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import type { Sql } from "./client.ts";

export type MigrationCheck =
  | { state: "current" }
  /** `pending`: names of the migrations to apply, in order. */
  | { state: "behind"; pending: string[] }
  /** The database has migrations that this build does not know. */
  | { state: "ahead"; unknown: number; problem: string };

/** The database does not fit this build; the message says what to do. */
export class MigrationProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "MigrationProblem";
  }
}

interface Known {
  tag: string;
  hash: string;
}

const FOLDER = fileURLToPath(new URL("../../drizzle", import.meta.url));
/** Session lock of whoever migrates; the others wait, and then find nothing left to do. */
const LOCK = 7_265_471_121;

/** Compares the database with this build's migrations. Reads only. */
export async function checkMigrations(sql: Sql): Promise<MigrationCheck> {
  const known = await knownMigrations();
  const applied = await appliedHashes(sql);
  const hashes = new Set(known.map((migration) => migration.hash));
  const unknown = applied.filter((hash) => !hashes.has(hash)).length;
  if (unknown > 0) return { state: "ahead", unknown, problem: aheadSentence(unknown) };
  const pending = known.filter((m) => !applied.includes(m.hash)).map((m) => m.tag);
  return pending.length > 0 ? { state: "behind", pending } : { state: "current" };
}

/**
 * Applies what is missing, under a lock, all in one transaction; returns the names of what was
 * applied. Throws `MigrationProblem` where the database is ahead.
 */
export async function migrate(url: string): Promise<string[]> {
  // One connection: the lock, the check and the migrations must be one session.
  const sql = postgres(url, {
    max: 1,
    onnotice: () => {},
    connect_timeout: 10,
    connection: { application_name: "signalbox migrate" },
  });
  try {
    await sql`select pg_advisory_lock(${LOCK})`;
    const check = await checkMigrations(sql as unknown as Sql);
    if (check.state === "ahead") throw new MigrationProblem(check.problem);
    if (check.state === "current") return [];
    await applyMigrations(drizzle(sql), { migrationsFolder: FOLDER }).catch((error: Error) => {
      // drizzle names the statement, its cause says what was wrong with it.
      const why = error.cause instanceof Error ? error.cause.message : error.message;
      throw new MigrationProblem(
        `The database could not be migrated and is as before: ${why}`,
        error,
      );
    });
    return check.pending;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** For `serve --no-migrate`: throws a sentence unless the database is exactly right. */
export async function requireCurrent(sql: Sql): Promise<void> {
  const check = await checkMigrations(sql);
  if (check.state === "ahead") throw new MigrationProblem(check.problem);
  if (check.state === "current") return;
  throw new MigrationProblem(
    `The database lacks ${check.pending.join(", ")}: run \`signalbox migrate\`, ` +
      "or start without --no-migrate.",
  );
}

function aheadSentence(unknown: number): string {
  const what = unknown === 1 ? "a migration" : `${unknown} migrations`;
  return (
    `The database has ${what} that this version of Signalbox does not know: ` +
    "start the version that made them, or restore the backup from before it."
  );
}

async function knownMigrations(): Promise<Known[]> {
  const journal = JSON.parse(await readFile(join(FOLDER, "meta/_journal.json"), "utf8")) as {
    entries: { tag: string }[];
  };
  const files = readMigrationFiles({ migrationsFolder: FOLDER });
  return files.map(({ hash }, index) => ({ hash, tag: journal.entries[index]?.tag ?? "" }));
}

async function appliedHashes(sql: Sql): Promise<string[]> {
  const [table] = await sql<{ there: boolean }[]>`
    select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
  if (!table?.there) return [];
  const rows = await sql<{ hash: string }[]>`
    select hash from drizzle.__drizzle_migrations order by id`;
  return rows.map(({ hash }) => hash);
}
