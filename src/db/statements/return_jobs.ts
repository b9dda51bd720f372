/**
 * Attempts that ended while their job goes on: a failure that will be retried, a lost lease, a
 * rejection, a release. The live row stays, without its lease; the attempt row is written.
 *
 * A job that somebody asked to cancel is not returned: its attempt's end is the cancel. One whose slot
 * was to be freed has come back by any of these ends.
 * Locks the jobs by id. Returns the rows that were returned, with what the window needs.
 */
import type { Transaction } from "../client.ts";
import { byId, inTurns, rowArrays } from "../row_arrays.ts";
import {
  ATTEMPT_INTO,
  attemptColumns,
  attemptTimes,
  attemptValues,
  LIVE_FACTS,
  LIVE_KEYS,
  type ReturnedEnd,
  RUNNING_EVENTS,
  standing,
} from "./attempt_columns.ts";
import { counterDeltasOf } from "./counters.ts";
import { EVENT_IDS, eventId } from "./event_ids.ts";
import { READY_COLUMNS, type ReadyRow } from "./ready_rows.ts";

const ends = rowArrays<ReturnedEnd>([
  ...attemptColumns<ReturnedEnd>(),
  ["lost", "smallint", (e) => e.lost],
  ["rejections", "smallint", (e) => e.rejections],
  ["waiting", "waiting_for", (e) => e.waitingFor],
  ["due", "seconds", (e) => e.dueAt],
  ["rejected", "int", (e) => e.rejectedBy],
]);
const of = (name: string) => ends.at(name, "x.i");

/** The row as it was is read before it is written: what an update returns is what it made. */
const RETURN = `
with timed as materialized (
  select l.i, l.place, ${LIVE_KEYS}, ${ends.at("now_is", "l.i")} as now_is,
    ${attemptTimes(ends, "l.i")}, ${LIVE_FACTS}
  from ${standing(ends)} and (l.cancel_requested_at is null or l.cancel_requeue)),
attempts as (insert into dispatched_job (${ATTEMPT_INTO}) select ${attemptValues(ends)} from timed),
back as (
  update live_job l set state = x.now_is, waiting_for = ${of("waiting")},
    failures = ${of("failures")}, lost = ${of("lost")}, rejections = ${of("rejections")},
    session_id = null, worker_id = null, token = null,
    dispatched_at = null, started_at = null, deadline_at = null, progress = null,
    progress_note = null, progress_at = null, items_success = null, items_failed = null,
    items_skipped = null, slot = null, cancel_requested_at = null,
    cancel_acknowledged_at = null, cancel_actor = null, cancel_reason = null, cancel_requeue = false,
    score = null, beat = null, beat_place = null,
    due_at = to_timestamp(${of("due")}), queued_at = x.fin,
    eligible_at = case when x.now_is = 'ready' then x.fin end,
    ready_at = case when x.now_is = 'ready' then x.fin end,
    ready_rank = case when x.now_is = 'ready'
      then extract(epoch from x.fin)::float8 - l.priority * $${ends.next}::float8 end,
    rejected_by = case when ${of("rejected")} is null or ${of("rejected")} = any(l.rejected_by)
      then l.rejected_by else coalesce(l.rejected_by, '{}') || ${of("rejected")} end,
    last_error = coalesce(${of("error")}, ${of("reason")})
  from timed x where l.ctid = x.place
  returning l.*),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, outcome, reason, worker_id, actor, since)
  ${RUNNING_EVENTS}
  union all
  select ${eventId("i * 2 + 1")}, fin, org_id, queue_id, name_id, id, attempt,
    case when begun is not null then 'running'::job_state else was end, now_is, ${ends.at("waiting")},
    ${ends.at("outcome")}, ${ends.at("reason")}, worker_id, ${ends.at("actor")}, null from timed),
deltas as (${counterDeltasOf("timed")})
select ${READY_COLUMNS} from back`;

/** `secondsPerPoint`: what one point of priority is worth in the rank (engine rule 3). */
export function returnJobs(
  tx: Transaction,
  rows: ReturnedEnd[],
  secondsPerPoint: number,
): Promise<ReadyRow[]> {
  return inTurns(
    byId(rows, (row) => row.job),
    async (some) => {
      const done = await tx.unsafe(RETURN, [...ends.params(some), secondsPerPoint], {
        prepare: true,
      });
      return done as unknown as ReadyRow[];
    },
  );
}
