/** What became of due times. The caller holds the schedule's row. */
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };
const AT = (n: number) => `to_timestamp($${n}::float8 / 1000)`;
/** As the index of open ones says it. */
const OPEN = `f.outcome is null and f.state in ('waiting', 'submitted')`;

export interface NewFire {
  schedule: string;
  /** Epoch milliseconds. */
  nominal: number;
  kind: "due" | "missed" | "manual";
  state: "waiting" | "submitted" | "skipped" | "refused";
  job?: string | null;
  workflow?: string | null;
  firedAt?: number | null;
  lateMs?: number | null;
  reason?: string | null;
  missed?: number | null;
  askedBy?: string | null;
  at: number;
}

/** False where that due time has been dealt with before. */
export async function insertFire(tx: Transaction, f: NewFire): Promise<boolean> {
  const rows = await tx.unsafe(
    `insert into schedule_fire (schedule_id, nominal_at, kind, state, job_id, workflow_id, fired_at, late_ms,
       reason, missed, asked_by, at)
     values ($1, ${AT(2)}, $3, $4, $5, $6, ${AT(7)}, $8, $9, $10, $11, ${AT(12)})
     on conflict (schedule_id, nominal_at) do nothing returning 1`,
    [
      ...[f.schedule, f.nominal, f.kind, f.state, f.job ?? null, f.workflow ?? null],
      ...[f.firedAt ?? null, f.lateMs ?? null, f.reason ?? null, f.missed ?? null],
      ...[f.askedBy ?? null, f.at],
    ],
    prepared,
  );
  return rows.length > 0;
}

/** One that waited, and waits no more. */
export async function endWaiting(
  tx: Transaction,
  f: Pick<NewFire, "schedule" | "nominal" | "state" | "job" | "workflow" | "reason" | "at">,
): Promise<void> {
  await tx.unsafe(
    `update schedule_fire set state = $3, job_id = $4, workflow_id = $5, reason = $6,
       fired_at = case when $3 = 'submitted' then ${AT(7)} end,
       late_ms = case when $3 = 'submitted' then extract(epoch from ${AT(7)} - nominal_at) * 1000 end
     where schedule_id = $1 and nominal_at = ${AT(2)}`,
    [
      ...[f.schedule, f.nominal, f.state, f.job ?? null, f.workflow ?? null],
      ...[f.reason ?? null, f.at],
    ],
    prepared,
  );
}

export interface OpenFire {
  nominal_ms: number;
  state: "waiting" | "submitted";
  kind: NewFire["kind"];
  job_id: string | null;
  workflow_id: string | null;
  /** Submitted, and not ended. */
  is_live: boolean;
}

const READ_OPEN = `
select round(extract(epoch from f.nominal_at) * 1000)::float8 as nominal_ms, f.state, f.kind, f.job_id,
  f.workflow_id, f.state = 'submitted' and (
    exists (select from live_job l where l.id = f.job_id)
    or exists (select from workflow w where w.id = f.workflow_id and w.finished_at is null)) as is_live
from schedule_fire f where f.schedule_id = $1 and ${OPEN}
order by f.nominal_at`;

/** Runs that wait or live, oldest first; and those that have ended and are not noted as such. */
export async function openFires(sql: Sql | Transaction, schedule: string): Promise<OpenFire[]> {
  const rows = await sql.unsafe(READ_OPEN, [schedule], prepared);
  return rows as unknown as OpenFire[];
}

/** Ends of runs, of whichever schedules; how many. What retention has removed has ended somehow. */
export async function noteOutcomes(sql: Sql | Transaction, max: number): Promise<number> {
  const rows = await sql.unsafe(
    `with over as materialized (
       select f.schedule_id, f.nominal_at, f.job_id, f.workflow_id from schedule_fire f
       where ${OPEN} and f.state = 'submitted'
         and not exists (select from live_job l where l.id = f.job_id)
         and not exists (select from workflow w where w.id = f.workflow_id and w.finished_at is null)
       limit $1),
     ended as materialized (
       select o.schedule_id, o.nominal_at, coalesce(
         (select e.state::text from job_end e where e.job_id = o.job_id
          order by e.finished_at desc limit 1),
         (select w.state::text from workflow w where w.id = o.workflow_id), 'unknown') as outcome
       from over o)
     update schedule_fire f set outcome = e.outcome from ended e
     where f.schedule_id = e.schedule_id and f.nominal_at = e.nominal_at and f.outcome is null returning 1`,
    [max],
    prepared,
  );
  return rows.length;
}

/** Schedules, not paused, of which runs wait. */
export async function waitingSchedules(
  sql: Sql,
  { without, limit }: { without: readonly string[]; limit: number },
): Promise<string[]> {
  const rows = await sql.unsafe(
    `select distinct f.schedule_id as id from schedule_fire f
     join schedule s on s.id = f.schedule_id and s.paused_at is null
     where ${OPEN} and f.state = 'waiting' and not (s.id = any($1::text::uuid[])) limit $2`,
    [`{${without.join()}}`, limit],
    prepared,
  );
  return rows.map((row) => row.id as string);
}
