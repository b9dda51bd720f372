/** Rows of days long past, for tests of retention: written by hand, in partitions made for them. */
import type postgres from "postgres";
import { v7 as uuidv7 } from "uuid";
import type { Sql } from "../../src/db/client.ts";
import { ensurePartitionsFor, PARTITIONED_TABLES } from "../../src/db/partitions.ts";
import { openUpkeep } from "../../src/db/upkeep.ts";

export const DAY = 86_400_000;

/** Partitions of these days in all tables. */
export async function makeDays(url: string, days: readonly number[]): Promise<void> {
  const sql = openUpkeep(url);
  for (const table of PARTITIONED_TABLES) await ensurePartitionsFor(sql, table, days);
  await sql.end({ timeout: 1 });
}

/** Every event so far is read, and no bucket waits: as after a pass of the aggregator. */
export async function markRead(sql: postgres.Sql, until: number): Promise<void> {
  await sql`delete from rollup_dirty`;
  await sql`
    insert into rollup_progress (id, horizon, marks, complete_until)
    select 1, pg_current_xact_id(), '[]', ${new Date(until)}
    on conflict (id) do update set horizon = excluded.horizon, marks = '[]',
      complete_until = excluded.complete_until`;
}

export async function oldEvent(sql: postgres.Sql | Sql, at: number): Promise<void> {
  await (sql as postgres.Sql)`
    insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
    values (${new Date(at)}, 1, 1, 1, ${uuidv7({ msecs: at })}, 0, 'created', 'queued')`;
}

/** A job made at `made`, with its end where it has one. */
export async function oldJob(
  sql: postgres.Sql,
  made: number,
  { ended, attempt = 1 }: { ended?: number; attempt?: number } = {},
): Promise<string> {
  const id = uuidv7({ msecs: made });
  await sql`
    insert into job (id, org_id, queue_id, name_id, shape_id, kind, priority, max_attempts,
      backoff_base, backoff_factor, backoff_max, created_at)
    values (${id}, 1, 1, 1, 1, 'exec', 0, 1, 10, 2, 3600, ${new Date(made)})`;
  if (ended !== undefined) {
    await sql`
      insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
        worker_id, queued_at)
      values (${id}, ${new Date(ended)}, 1, 1, 1, 'succeeded', ${attempt}, 0, 1, ${new Date(made)})`;
  }
  return id;
}

export async function oldAttempt(
  sql: postgres.Sql,
  job: string,
  ended: number,
  logBytes: number | null = null,
): Promise<void> {
  const at = new Date(ended);
  await sql`
    insert into dispatched_job (job_id, attempt, org_id, queue_id, name_id, worker_id, session_id, token,
      outcome, state_after, queued_at, ready_at, dispatched_at, ended_at, run_ms, log_bytes)
    values (${job}, 1, 1, 1, 1, 1, 1, ${crypto.randomUUID()}, 'succeeded', 'succeeded', ${at}, ${at}, ${at},
      ${at}, 5, ${logBytes})`;
}

/** Lives, and waits for a time that never comes. */
export async function oldLiveJob(sql: postgres.Sql, made: number): Promise<string> {
  const id = await oldJob(sql, made);
  await sql`
    insert into live_job (id, org_id, queue_id, name_id, shape_id, counted_name, state, waiting_for, priority,
      max_attempts, queued_at, due_at)
    values (${id}, 1, 1, 1, 1, 1, 'queued', 'run_at', 0, 1, ${new Date(made)}, '2999-01-01')`;
  return id;
}
