/**
 * Staging: queued jobs whose run_at or backoff is over go on to wait for dependencies, or are ready.
 * Locks them by id, skipping what others hold; any replica may run it. They are found again by ctid:
 * what somebody changed after our snapshot stays for the next round, for this one could not see what
 * was written beside it, such as a workflow that the job has joined.
 */
import type { Sql } from "../client.ts";
import { counterDeltasOf } from "./counters.ts";
import { EVENT_IDS, NEXT_EVENT } from "./event_ids.ts";
import { READY_COLUMNS, type ReadyRow } from "./ready_rows.ts";

const STAGE_MAX = 1_000;

const STAGE = `
with due as materialized (
  select id from live_job where due_at is not null and due_at <= now() order by due_at, id limit ${STAGE_MAX}),
picked as materialized (
  select l.ctid as place, l.state as was,
    case when l.pending_deps > 0 then 'queued'::job_state else 'ready'::job_state end as now_is
  from due join live_job l on l.id = any(array[due.id])
  where l.due_at <= now() and l.state = 'queued'
  order by due.id for no key update of l skip locked),
moved as (
  update live_job l set due_at = null, state = p.now_is, eligible_at = greatest(l.due_at, l.queued_at),
    waiting_for = case when p.now_is = 'queued' then 'dependencies'::waiting_for end,
    ready_at = case when p.now_is = 'ready' then greatest(l.due_at, l.queued_at, now()) end,
    ready_rank = case when p.now_is = 'ready'
      then extract(epoch from greatest(l.due_at, l.queued_at, now()))::float8 - l.priority * $1::float8 end
  from picked p where l.ctid = p.place
  returning l.*, p.was, p.now_is),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state, waiting_for,
    since)
  select ${NEXT_EVENT}, coalesce(ready_at, eligible_at), org_id, queue_id, name_id, id, attempt, was, now_is,
    waiting_for, case when now_is = 'ready' then eligible_at end from moved),
risen as (select * from moved where now_is = 'ready'),
deltas as (${counterDeltasOf("risen")})
select ${READY_COLUMNS} from moved`;

export async function stageJobs(
  sql: Sql,
  secondsPerPoint: number,
): Promise<{ rows: ReadyRow[]; more: boolean }> {
  const rows = await sql.unsafe(STAGE, [secondsPerPoint], { prepare: true });
  return { rows: rows as unknown as ReadyRow[], more: rows.length >= STAGE_MAX };
}

/** Seconds until the next job is due; null where none waits for a time. */
export async function nextDue(sql: Sql): Promise<number | null> {
  const [row] = await sql.unsafe(
    `select extract(epoch from min(due_at) - now())::float8 as s from live_job where due_at is not null`,
    [],
    { prepare: true },
  );
  return (row?.s as number | null) ?? null;
}
