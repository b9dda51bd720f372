/**
 * Attempts that ended while their job goes on: a failure that will be retried, a lost lease, a
 * rejection, a release. The live row stays, without its lease; the attempt row is written.
 *
 * A job that somebody asked to cancel is not returned: its attempt's end is the cancel.
 * Locks the jobs by id. Returns the rows that were returned, with what the window needs.
 */
import type { Transaction } from "../client.ts";
import { rowSource } from "../row_source.ts";
import {
  ATTEMPT_INTO,
  ATTEMPT_TIMES,
  ATTEMPT_VALUES,
  attemptColumns,
  type ReturnedEnd,
  RUNNING_EVENTS,
} from "./attempt_columns.ts";
import { counterDeltasOf } from "./counters.ts";
import { READY_COLUMNS, type ReadyRow } from "./ready_rows.ts";

const ends = rowSource<ReturnedEnd>("t", [
  ...attemptColumns<ReturnedEnd>(),
  ["waiting", "waiting_for", (e) => e.waitingFor],
  ["due", "seconds", (e) => e.dueAt],
  ["rejected", "int", (e) => e.rejectedBy],
]);

const RETURN = `
with timed as materialized (
  select t.*, l.attempt, l.org_id, l.queue_id, l.name_id, l.counted_name, l.worker_id, l.queued_at,
    l.eligible_at, l.ready_at, l.dispatched_at, l.has_workflow, l.score, l.rules_version, l.terms,
    l.candidates, l.candidate_scores, l.considered, l.worker_context, l.job_context,
    l.instance_context, l.state as was, ${ATTEMPT_TIMES},
    greatest(coalesce(l.started_at, l.dispatched_at), to_timestamp(t.ended)) as fin
  from ${ends.sql} join live_job l on l.id = any(array[t.id])
  where l.token = t.token and l.session_id is not distinct from t.session
    and l.cancel_requested_at is null),
attempts as (insert into dispatched_job (${ATTEMPT_INTO}) select ${ATTEMPT_VALUES} from timed),
back as (
  update live_job l set state = x.now_is, waiting_for = x.waiting, failures = x.failures,
    lost = x.lost, rejections = x.rejections, session_id = null, worker_id = null, token = null,
    dispatched_at = null, started_at = null, deadline_at = null, progress = null,
    progress_note = null, score = null, terms = null, candidates = null, candidate_scores = null,
    considered = null, worker_context = null, job_context = null, instance_context = null,
    due_at = to_timestamp(x.due), queued_at = x.fin,
    eligible_at = case when x.now_is = 'ready' then x.fin end,
    ready_at = case when x.now_is = 'ready' then x.fin end,
    ready_rank = case when x.now_is = 'ready'
      then extract(epoch from x.fin)::float8 - l.priority * $${ends.next}::float8 end,
    rejected_by = case when x.rejected is null or x.rejected = any(l.rejected_by) then l.rejected_by
      else coalesce(l.rejected_by, '{}') || x.rejected end,
    last_error = coalesce(x.error, x.reason)
  from timed x where l.id = any(array[x.id])
  returning l.*),
events as (
  insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, outcome, reason, worker_id, actor)
  ${RUNNING_EVENTS}
  union all
  select fin, org_id, queue_id, name_id, id, attempt,
    case when begun is not null then 'running'::job_state else was end, now_is, waiting, outcome,
    reason, worker_id, actor from timed),
deltas as (${counterDeltasOf("timed")})
select ${READY_COLUMNS} from back`;

/** `secondsPerPoint`: what one point of priority is worth in the rank (engine rule 3). */
export async function returnJobs(
  tx: Transaction,
  rows: ReturnedEnd[],
  secondsPerPoint: number,
): Promise<ReadyRow[]> {
  if (rows.length === 0) return [];
  const done = await tx.unsafe(RETURN, [...ends.params(rows), secondsPerPoint], { prepare: true });
  return done as unknown as ReadyRow[];
}
