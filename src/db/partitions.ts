/**
 * Partitions of the append-only tables (engine rule 6), by day, or by month where rows are few. Both are
 * UTC; a partition is named by its first day.
 *
 * A partition is made as a plain table and then attached, because attaching waits for nobody:
 * `create … partition of`, or dropping an attached partition, asks for a lock on the parent that
 * queues behind the slowest reader while every insert queues behind it (1.5 s behind one open
 * reader; attach and detach concurrently take milliseconds). There is no default partition: with
 * one, each attach would have to lock and read it.
 */
import type postgres from "postgres";
import type { Sql } from "./client.ts";

type Reserved = postgres.ReservedSql<Record<string, never>>;

export type PartitionedTable =
  | "job"
  | "decision"
  | "dispatched_job"
  | "job_end"
  | "phase_event"
  | "worker_sample"
  | "instance_sample"
  | "rollup_minute"
  | "rollup_hour";

interface Parent {
  /** Whether the key is a time, or a UUIDv7 that begins with one. */
  key: "time" | "uuid";
  unit: "day" | "month";
}

const PARENTS: Record<PartitionedTable, Parent> = {
  job: { key: "uuid", unit: "day" },
  decision: { key: "uuid", unit: "day" },
  dispatched_job: { key: "time", unit: "day" },
  job_end: { key: "time", unit: "day" },
  phase_event: { key: "time", unit: "day" },
  worker_sample: { key: "time", unit: "day" },
  instance_sample: { key: "time", unit: "day" },
  rollup_minute: { key: "time", unit: "day" },
  rollup_hour: { key: "time", unit: "month" },
};
export const PARTITIONED_TABLES = Object.keys(PARENTS) as PartitionedTable[];

export const DAYS_AHEAD = 7;
const DAY_MS = 86_400_000;
/** One maker at a time, whatever the number of servers. */
const LOCK = 7_265_471_122;
const LOCK_TIMEOUT = "2s";
const TRIES = 3;
const RETRY_MS = 250;

/**
 * Rows are only ever added, so vacuum has one job here: to mark pages as visible to all and
 * frozen, which makes index-only scans cheap and the later anti-wraparound vacuum empty. A fifth of
 * the day's rows at a time is often enough, and small days are left alone: more often, vacuum and analyze
 * took a tenth of what the database does under full load.
 */
const STORAGE = `
  autovacuum_vacuum_insert_threshold = 200000, autovacuum_vacuum_insert_scale_factor = 0.2,
  autovacuum_analyze_threshold = 100000, autovacuum_analyze_scale_factor = 0.25`;

export interface Partition {
  name: string;
  table: PartitionedTable;
  /** First moment of it, milliseconds since the epoch. */
  day: number;
  attached: boolean;
  /** A detach was begun and cut short; it must be finished before the next. */
  detaching: boolean;
}

export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

/** First day of the partition that a moment falls into. */
export function partitionStart(table: PartitionedTable, ms: number): number {
  if (PARENTS[table].unit === "day") return dayOf(ms);
  const at = new Date(ms);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth());
}

/** The moment at which it ends. */
export function partitionEnd(table: PartitionedTable, ms: number): number {
  const start = new Date(partitionStart(table, ms));
  if (PARENTS[table].unit === "day") return start.getTime() + DAY_MS;
  return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1);
}

/** Of the partition that holds this moment. */
export function partitionName(table: PartitionedTable, ms: number): string {
  const start = new Date(partitionStart(table, ms)).toISOString();
  return `${table}_${start.slice(0, 10).replaceAll("-", "")}`;
}

/** The SQL literal of the moment `ms` in the key of `table`. */
export function bound(table: PartitionedTable, ms: number): string {
  if (PARENTS[table].key === "time") return `'${new Date(ms).toISOString()}'`;
  const hex = ms.toString(16).padStart(12, "0");
  return `'${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000'`;
}

/** Every partition, attached or left over from a removal that was cut short. */
export async function listPartitions(sql: Sql | Reserved): Promise<Partition[]> {
  const rows = await sql<{ name: string; attached: boolean; detaching: boolean }[]>`
    select c.relname as name, i.inhrelid is not null as attached,
           coalesce(i.inhdetachpending, false) as detaching
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname ~ '_[0-9]{8}$'
    order by c.relname`;
  return rows.flatMap(({ name, attached, detaching }) => {
    const table = name.slice(0, -9) as PartitionedTable;
    const digits = name.slice(-8);
    const day = Date.parse(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`);
    return table in PARENTS && !Number.isNaN(day)
      ? [{ name, table, day, attached, detaching }]
      : [];
  });
}

/**
 * Makes what is missing from yesterday to `DAYS_AHEAD` days after `now` (milliseconds, database
 * time); returns the names made. Safe to repeat and to run on several servers at once.
 */
export async function ensurePartitions(sql: Sql, now: number): Promise<string[]> {
  const made: string[] = [];
  for (const table of PARTITIONED_TABLES) {
    made.push(...(await ensurePartitionsFor(sql, table, daysAround(now))));
  }
  return made;
}

/** Makes those of one table that hold these moments, where they are missing; returns the names made. */
export async function ensurePartitionsFor(
  sql: Sql,
  table: PartitionedTable,
  moments: Iterable<number>,
): Promise<string[]> {
  const wanted = new Set([...moments].map((ms) => partitionStart(table, ms)));
  if (lacking(table, await listPartitions(sql), wanted).length === 0) return [];
  return await withRetry(() => make(sql, table, wanted));
}

/** Whether inserts of today and tomorrow have a partition to go to, in every table. */
export async function tomorrowReady(sql: Sql, now: number): Promise<boolean> {
  const usable = new Set(
    (await listPartitions(sql)).filter((p) => p.attached && !p.detaching).map((p) => p.name),
  );
  const today = dayOf(now);
  return PARTITIONED_TABLES.every((table) =>
    [today, today + DAY_MS].every((day) => usable.has(partitionName(table, day))),
  );
}

export interface DropResult {
  dropped: string[];
  /** Still in use after all tries; the next call goes on with them. */
  left: string[];
}

/**
 * Removes the partitions of `table` whose day ended at or before `before` (milliseconds), but for those
 * that are spared by name. Detaches without stopping readers or writers, then drops what nobody sees any
 * more. A partition that somebody is still reading is left to the next call. `sql` should be `openUpkeep`'s.
 */
export async function dropPartitionsBefore(
  sql: Sql,
  table: PartitionedTable,
  before: number,
  spared: ReadonlySet<string> = new Set(),
): Promise<DropResult> {
  const result: DropResult = { dropped: [], left: [] };
  const reserved = (await sql.reserve()) as Reserved;
  try {
    await reserved.unsafe(`set lock_timeout = '${LOCK_TIMEOUT}'`);
    // A detach waits for the readers that were there before it: bounded by lock_timeout instead.
    await reserved.unsafe("set statement_timeout = 0");
    const old = (await listPartitions(reserved)).filter((p) => p.table === table);
    // One that was cut short blocks every other detach, however young it is.
    for (const partition of old.filter((p) => p.detaching)) await finishDetach(reserved, partition);
    const expired = old.filter((p) => partitionEnd(table, p.day) <= before && !spared.has(p.name));
    for (const partition of expired) {
      // Whoever reads one reads its neighbours, and one detach that waits forbids the next.
      const gone = result.left.length === 0 && (await dropOne(reserved, partition));
      (gone ? result.dropped : result.left).push(partition.name);
    }
  } finally {
    await reserved.unsafe("reset lock_timeout; reset statement_timeout");
    reserved.release();
  }
  return result;
}

// Making

/** From yesterday to `DAYS_AHEAD` days after. */
function daysAround(now: number): number[] {
  const days = Array.from({ length: DAYS_AHEAD + 2 }, (_, at) => at - 1);
  return days.map((offset) => dayOf(now) + offset * DAY_MS);
}

function lacking(table: PartitionedTable, all: readonly Partition[], wanted: Iterable<number>) {
  const there = new Set(all.filter((p) => p.attached).map((p) => p.name));
  return [...wanted].filter((start) => !there.has(partitionName(table, start)));
}

/** One transaction, so that a table is never there without being attached. */
async function make(sql: Sql, table: PartitionedTable, wanted: Set<number>): Promise<string[]> {
  return await sql.begin(async (transaction) => {
    const tx = transaction as unknown as Reserved;
    await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    const starts = lacking(table, await listPartitions(tx), wanted);
    for (const start of starts) await tx.unsafe(makeStatements(table, start));
    return starts.map((start) => partitionName(table, start));
  });
}

function makeStatements(table: PartitionedTable, start: number): string {
  const name = partitionName(table, start);
  const end = partitionEnd(table, start);
  return `
    create table if not exists ${name} (like ${table} including all excluding identity)
      with (${STORAGE});
    alter table ${table} attach partition ${name}
      for values from (${bound(table, start)}) to (${bound(table, end)})`;
}

// Removing

/** False where somebody still uses it. */
async function dropOne(sql: Reserved, partition: Partition): Promise<boolean> {
  const { name, table } = partition;
  for (let round = 1; round <= TRIES; round++) {
    try {
      const [now] = (await listPartitions(sql)).filter((p) => p.name === name);
      if (!now) return true;
      if (now.detaching) await sql.unsafe(`alter table ${table} detach partition ${name} finalize`);
      else if (now.attached) {
        await sql.unsafe(`alter table ${table} detach partition ${name} concurrently`);
      }
      await sql.unsafe(`drop table if exists ${name}`);
      return true;
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (round < TRIES) await pause();
    }
  }
  return false;
}

async function finishDetach(sql: Reserved, { table, name }: Partition): Promise<void> {
  try {
    await sql.unsafe(`alter table ${table} detach partition ${name} finalize`);
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}

/** Somebody holds a lock (55P03), or two removers met (40P01, 55000: another detach is pending). */
function isBusy(error: unknown): boolean {
  return ["55P03", "40P01", "40001", "55000"].includes((error as { code?: string }).code ?? "");
}

async function withRetry<T>(work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work();
    } catch (error) {
      if (round >= TRIES || !isBusy(error)) throw error;
      await pause();
    }
  }
}

/** With chance in it, so that two servers do not meet again. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
}
