/**
 * Final ends: the live row goes, its attempt row, end row, phase events and counter deltas come,
 * all for exactly the rows whose lease (session and token) still stands (engine rule 7).
 *
 * A job whose cancel was asked ends well or cancelled: another end is refused, to be resolved again.
 * The caller has locked the jobs by id. Returns what ended; `has_dependents` asks for
 * `resolve_dependents` in the same transaction.
 */
import type { Transaction } from "../client.ts";
import { rowSource } from "../row_source.ts";
import {
  ATTEMPT_INTO,
  ATTEMPT_TIMES,
  ATTEMPT_VALUES,
  attemptColumns,
  type FinalEnd,
  RUNNING_EVENTS,
} from "./attempt_columns.ts";
import { counterDeltasOf } from "./counters.ts";

export interface EndedRow {
  id: string;
  state: "succeeded" | "failed" | "cancelled" | "dependency_failed";
  org_id: number;
  queue_id: number;
  name_id: number;
  worker_id: number | null;
  has_dependents: boolean;
  has_workflow: boolean;
  /** Epoch seconds. */
  fin: number;
}

const ends = rowSource<FinalEnd>("t", [
  ...attemptColumns<FinalEnd>(),
  ["result", "json", (e) => e.result],
]);

const END = `
with picked as materialized (
  select t.*, l.attempt, l.org_id, l.queue_id, l.name_id, l.counted_name, l.worker_id, l.queued_at,
    l.eligible_at, l.ready_at, l.dispatched_at, l.cancel_requested_at, l.has_dependents,
    l.has_workflow, l.score, l.rules_version, l.terms, l.candidates, l.candidate_scores, l.considered,
    l.worker_context, l.job_context, l.instance_context, l.state as was, ${ATTEMPT_TIMES},
    greatest(coalesce(l.started_at, l.dispatched_at), to_timestamp(t.ended)) as fin
  from ${ends.sql} join live_job l on l.id = any(array[t.id])
  where l.token = t.token and l.session_id is not distinct from t.session
    and (l.cancel_requested_at is null or t.now_is in ('succeeded', 'cancelled')
      or t.reason = 'unstorable_report')),
timed as (
  delete from live_job l using picked where l.id = any(array[picked.id]) returning picked.*),
attempts as (insert into dispatched_job (${ATTEMPT_INTO}) select ${ATTEMPT_VALUES} from timed),
job_ends as (
  insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
    worker_id, exit_code, reason, error, queued_at, eligible_at, ready_at, cancel_requested_at, result)
  select id, fin, org_id, queue_id, name_id, now_is, attempt, failures, worker_id, exit_code, reason,
    error, queued_at, eligible_at, ready_at, cancel_requested_at, result::json from timed),
events as (
  insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, outcome, reason, worker_id, actor)
  ${RUNNING_EVENTS}
  union all
  select fin, org_id, queue_id, name_id, id, attempt,
    case when begun is not null then 'running'::job_state else was end, now_is, null, outcome, reason,
    worker_id, actor from timed),
deltas as (${counterDeltasOf("timed")})
select id, now_is as state, org_id, queue_id, name_id, worker_id, has_dependents, has_workflow,
  extract(epoch from fin)::float8 as fin from timed`;

export async function endJobs(tx: Transaction, rows: FinalEnd[]): Promise<EndedRow[]> {
  if (rows.length === 0) return [];
  const done = await tx.unsafe(END, ends.params(rows), { prepare: true });
  return done as unknown as EndedRow[];
}
