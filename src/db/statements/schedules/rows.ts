/** Rows of schedules: made, changed, locked, removed. Times travel as epoch milliseconds. */
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };

/** What people set. */
export interface ScheduleColumns {
  name: string;
  description: string;
  cron: string;
  time_zone: string;
  job: unknown;
  workflow: unknown;
  overlap: string;
  catch_up: string;
  catch_up_max: number;
  jitter_seconds: number;
  vendor_type: string | null;
  vendor_id: string | null;
  managed_by: string | null;
}

export interface ScheduleRow extends ScheduleColumns {
  id: string;
  org_id: number;
  paused_ms: number | null;
  paused_by: string | null;
  pause_reason: string | null;
  resumed_ms: number | null;
  settled_ms: number;
  due_ms: number | null;
  revision: number;
}

const MS = (column: string, name: string) =>
  `round(extract(epoch from ${column}) * 1000)::float8 as ${name}`;
const READ = `select id, org_id, name, description, cron, time_zone, job, workflow, overlap, catch_up,
  catch_up_max, jitter_seconds, vendor_type, vendor_id, managed_by, paused_by, pause_reason, revision,
  ${MS("paused_at", "paused_ms")}, ${MS("resumed_at", "resumed_ms")},
  ${MS("settled_until", "settled_ms")}, ${MS("due_at", "due_ms")} from schedule`;
const AT = (n: number) => `to_timestamp($${n}::float8 / 1000)`;

export async function readSchedule(sql: Sql | Transaction, id: string) {
  const [row] = await sql.unsafe(`${READ} where id = $1`, [id], prepared);
  return (row as unknown as ScheduleRow | undefined) ?? null;
}

/** Nobody else changes it, or fires it, until the transaction ends. */
export async function lockSchedule(tx: Transaction, id: string): Promise<ScheduleRow | null> {
  const [row] = await tx.unsafe(`${READ} where id = $1 for no key update`, [id], prepared);
  return (row as unknown as ScheduleRow | undefined) ?? null;
}

/** All of an organization, or (null) of all, that are paused or that are not; by id. */
export async function lockSchedules(
  tx: Transaction,
  org: number | null,
  isPaused: boolean,
): Promise<ScheduleRow[]> {
  const rows = await tx.unsafe(
    `${READ} where ($1::int is null or org_id = $1) and (paused_at is not null) = $2
     order by id for no key update`,
    [org, isPaused],
    prepared,
  );
  return rows as unknown as ScheduleRow[];
}

export interface NewSchedule extends ScheduleColumns {
  id: string;
  org: number;
  isPaused: boolean;
  by: string;
  at: number;
  dueAt: number | null;
}

const asJson = (value: unknown) => (value === null ? null : JSON.stringify(value));

function settings(s: ScheduleColumns) {
  return [
    ...[s.name, s.description, s.cron, s.time_zone, asJson(s.job), asJson(s.workflow), s.overlap],
    ...[s.catch_up, s.catch_up_max, s.jitter_seconds, s.vendor_type, s.vendor_id, s.managed_by],
  ];
}

/** False where the organization has one of that name. */
export async function insertSchedule(tx: Transaction, s: NewSchedule): Promise<boolean> {
  const rows = await tx.unsafe(
    `insert into schedule (name, description, cron, time_zone, job, workflow, overlap, catch_up,
       catch_up_max, jitter_seconds, vendor_type, vendor_id, managed_by, id, org_id, created_by, updated_by,
       created_at, updated_at, settled_until, rule_at, due_at, paused_at, paused_by)
     values ($1, $2, $3, $4, $5::text::json, $6::text::json, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
       $16, ${AT(17)}, ${AT(17)}, ${AT(17)}, ${AT(17)}, ${AT(18)},
       case when $19::boolean then ${AT(17)} end, case when $19::boolean then $16 end)
     on conflict (org_id, name) do nothing returning id`,
    [...settings(s), s.id, s.org, s.by, s.at, s.dueAt, s.isPaused],
    prepared,
  );
  return rows.length > 0;
}

/** Of a locked row. `settledAt`: a new rule begins then; null: it goes on where it is. */
export async function changeSchedule(
  tx: Transaction,
  id: string,
  s: ScheduleColumns,
  change: { by: string; at: number; settledAt: number | null; dueAt: number | null },
): Promise<void> {
  await tx.unsafe(
    `update schedule set name = $1, description = $2, cron = $3, time_zone = $4, job = $5::text::json,
       workflow = $6::text::json, overlap = $7, catch_up = $8, catch_up_max = $9, jitter_seconds = $10,
       vendor_type = $11, vendor_id = $12, managed_by = $13, updated_by = $15, updated_at = ${AT(16)},
       settled_until = coalesce(${AT(17)}, settled_until), rule_at = coalesce(${AT(17)}, rule_at),
       due_at = ${AT(18)}, revision = revision + 1
     where id = $14`,
    [...settings(s), id, change.by, change.at, change.settledAt, change.dueAt],
    prepared,
  );
}

/** Whether another of the organization has this name. */
export async function isNameTaken(
  tx: Transaction,
  org: number,
  name: string,
  id: string,
): Promise<boolean> {
  const rows = await tx.unsafe(
    `select from schedule where org_id = $1 and name = $2 and id <> $3`,
    [org, name, id],
    prepared,
  );
  return rows.length > 0;
}

/** Its runs go on; what it did is forgotten with it. */
export async function removeSchedule(tx: Transaction, id: string): Promise<void> {
  await tx.unsafe(`delete from schedule where id = $1`, [id], prepared);
}

export async function pauseSchedule(
  tx: Transaction,
  id: string,
  { at, by, reason }: { at: number; by: string; reason: string | null },
): Promise<void> {
  await tx.unsafe(
    `update schedule set paused_at = ${AT(2)}, paused_by = $3, pause_reason = $4, due_at = null,
       revision = revision + 1 where id = $1`,
    [id, at, by, reason],
    prepared,
  );
}

/** `dueAt`: the first due time since it was paused, which has perhaps gone by. */
export async function resumeSchedule(
  tx: Transaction,
  id: string,
  { at, dueAt }: { at: number; dueAt: number | null },
): Promise<void> {
  await tx.unsafe(
    `update schedule set paused_at = null, paused_by = null, pause_reason = null,
       resumed_at = ${AT(2)}, due_at = ${AT(3)}, revision = revision + 1 where id = $1`,
    [id, at, dueAt],
    prepared,
  );
}

/** Due times up to `settled` are dealt with. */
export async function settleSchedule(
  tx: Transaction,
  id: string,
  { settled, dueAt, fired }: { settled: number; dueAt: number | null; fired: number | null },
): Promise<void> {
  await tx.unsafe(
    `update schedule set settled_until = ${AT(2)}, due_at = ${AT(3)},
       last_fire_at = coalesce(${AT(4)}, last_fire_at), revision = revision + 1 where id = $1`,
    [id, settled, dueAt, fired],
    prepared,
  );
}

/**
 * The earliest moment at which one is to be looked at, and whether runs wait for others to end; of all but
 * `without`.
 */
export async function nextLook(
  sql: Sql,
  without: readonly string[],
): Promise<{ due: number | null; isWaiting: boolean }> {
  const [row] = await sql.unsafe(
    `select (select ${MS("due_at", "due")} from schedule
         where due_at is not null and not (id = any($1::text::uuid[]))
         order by due_at limit 1) as due,
       exists (select from schedule_fire f join schedule s on s.id = f.schedule_id
         where f.outcome is null and f.state in ('waiting', 'submitted') and f.state = 'waiting'
           and s.paused_at is null and not (s.id = any($1::text::uuid[]))) as waiting`,
    [`{${without.join()}}`],
    prepared,
  );
  return { due: (row!.due as number | null) ?? null, isWaiting: row!.waiting as boolean };
}

export async function dueSchedules(
  sql: Sql,
  now: number,
  { without, limit }: { without: readonly string[]; limit: number },
): Promise<string[]> {
  const rows = await sql.unsafe(
    `select id from schedule where due_at <= ${AT(1)} and not (id = any($2::text::uuid[]))
     order by due_at limit $3`,
    [now, `{${without.join()}}`, limit],
    prepared,
  );
  return rows.map((row) => row.id as string);
}
