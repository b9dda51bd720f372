/**
 * Keeps the migrations true to `src/db/schema`.
 *
 *     bun run db:generate          until the first release: writes 0000_init.sql anew
 *     bun run db:generate <name>   from then on: adds a migration called <name>
 *     bun run db:verify            fails where schema and migrations differ
 *
 * drizzle-kit knows neither partitioned tables nor storage parameters. So 0000_init.sql is what
 * drizzle-kit writes, with the edits below and `by_hand.sql` at its end; both modes make it the
 * same way, and nobody edits it by hand.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { EVENT_ID_STEP } from "../src/db/schema/event_id_step.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const ROOT = dirname(join(FOLDER, "x", ".."));
const FIRST = "0000_init.sql";
const SNAPSHOT = "meta/0000_snapshot.json";
const JOURNAL = "meta/_journal.json";

/** Partitioned tables and their keys. */
const PARTITION_BY = {
  job: "id",
  decision: "beat",
  dispatched_job: "ended_at",
  job_end: "finished_at",
  phase_event: "at",
  worker_sample: "at",
  instance_sample: "at",
  rollup_minute: "bucket_start",
  rollup_hour: "bucket_start",
};

interface Journal {
  entries: { idx: number; tag: string; when: number }[];
}

const [mode, name] = process.argv.slice(2);
if (mode === "generate") generate(name);
else if (mode === "verify") verify();
else throw new Error("Say generate or verify.");

function generate(migration: string | undefined): void {
  if (migration) {
    drizzleKit(FOLDER, migration);
    return;
  }
  if (journal(FOLDER).entries.length > 1) {
    throw new Error("There are migrations after the first: give the new one a name.");
  }
  withFolder((fresh) => {
    const files = freshInit(fresh);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(FOLDER, file), text);
  });
  console.log(`Wrote ${FIRST}. Databases made from the former one must be made anew.`);
}

function verify(): void {
  const released = journal(FOLDER).entries.length > 1;
  const different = withFolder((fresh) => (released ? newMigrations(fresh) : changedInit(fresh)));
  if (different.length === 0) {
    console.log("Schema and migrations agree.");
    return;
  }
  console.error(`Schema and migrations differ (${different.join(", ")}): bun run db:generate`);
  process.exitCode = 1;
}

/** What drizzle-kit would add to the migrations as they are. */
function newMigrations(fresh: string): string[] {
  cpSync(FOLDER, fresh, { recursive: true });
  drizzleKit(fresh, "drift");
  const known = new Set(readdirSync(FOLDER));
  return readdirSync(fresh).filter((file) => !known.has(file));
}

function changedInit(fresh: string): string[] {
  return Object.entries(freshInit(fresh))
    .filter(([file, text]) => readFileSync(join(FOLDER, file), "utf8") !== text)
    .map(([file]) => file);
}

/** The first migration and its snapshot, made from the schema alone. */
function freshInit(fresh: string): Record<string, string> {
  drizzleKit(fresh, "init");
  let text = readFileSync(join(fresh, FIRST), "utf8");
  for (const [table, key] of Object.entries(PARTITION_BY)) text = partition(text, table, key);
  text = replaceOnce(
    text,
    'CREATE TABLE "phase_event"',
    `CREATE SEQUENCE "phase_event_id" AS bigint INCREMENT BY ${EVENT_ID_STEP};--> statement-breakpoint\nCREATE TABLE "phase_event"`,
  );
  text += `--> statement-breakpoint\n${readFileSync(join(FOLDER, "by_hand.sql"), "utf8")}`;
  const made = JSON.parse(readFileSync(join(fresh, SNAPSHOT), "utf8"));
  // drizzle-kit gives each snapshot a new random id; kept, so that only a real change shows.
  made.id = JSON.parse(readFileSync(join(FOLDER, SNAPSHOT), "utf8")).id;
  return { [FIRST]: text, [SNAPSHOT]: JSON.stringify(made, null, 2) };
}

function partition(text: string, table: string, key: string): string {
  const start = text.indexOf(`CREATE TABLE "${table}" (`);
  const end = text.indexOf("\n);\n", start);
  if (start < 0 || end < 0) throw new Error(`There is no table ${table} to partition.`);
  return `${text.slice(0, end)}\n) PARTITION BY RANGE ("${key}");\n${text.slice(end + 4)}`;
}

function replaceOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`Expected once: ${from}`);
  return text.replace(from, to);
}

function journal(folder: string): Journal {
  return JSON.parse(readFileSync(join(folder, JOURNAL), "utf8"));
}

function drizzleKit(out: string, migration: string): void {
  const bin = join(dirname(createRequire(import.meta.url).resolve("drizzle-kit")), "bin.cjs");
  const flags = ["--dialect", "postgresql", "--casing", "snake_case"];
  const result = spawnSync(
    process.execPath,
    [bin, "generate", ...flags, "--schema", "src/db/schema/**/*.ts", "--name", migration]
      // drizzle-kit takes only a path relative to where it runs.
      .concat("--out", relative(ROOT, out)),
    { cwd: ROOT, encoding: "utf8" },
  );
  if (result.status !== 0) throw new Error(`drizzle-kit failed:\n${result.stdout}${result.stderr}`);
}

function withFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-drizzle-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
