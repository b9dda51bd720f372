/**
 * Final ends: the live row goes, its attempt row, end row, phase events and counter deltas come,
 * all for exactly the rows whose lease (session and token) still stands (engine rule 7).
 *
 * A job whose cancel was asked ends well or cancelled, and one that was to go back in line ends well:
 * another end is refused, to be resolved again.
 */
import type { FinalState } from "../../core/job_state.ts";
import { numbers, truths } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import { byId, inTurns, rowArrays } from "../row_arrays.ts";
import {
  ATTEMPT_INTO,
  attemptColumns,
  attemptTimes,
  attemptValues,
  type FinalEnd,
  LIVE_FACTS,
  LIVE_KEYS,
  RUNNING_EVENTS,
  standing,
} from "./attempt_columns.ts";
import { counterDeltasOf } from "./counters.ts";
import { EVENT_IDS, eventId } from "./event_ids.ts";

export interface EndedRow {
  id: string;
  state: FinalState;
  queue_id: number;
  has_workflow: boolean;
}

/** With what its dependents have to be told. */
export interface EndedInFull extends EndedRow {
  worker_id: number | null;
  has_dependents: boolean;
  /** Epoch seconds. */
  fin: number;
}

const ends = rowArrays<FinalEnd>([
  ...attemptColumns<FinalEnd>(),
  ["result", "json", (e) => e.result],
]);

const picked = (also: string, lock: string) => `
  select l.place, l.i from ${standing(ends, lock)}
    and (l.cancel_requested_at is null or ${ends.at("now_is", "l.i")} = 'succeeded'
      or (${ends.at("now_is", "l.i")} = 'cancelled' and not l.cancel_requeue)
      or ${ends.at("reason", "l.i")} = 'unstorable_report') ${also}`;

const ended = (also = "", lock = "") => `
picked as materialized (${picked(also, lock)}),
timed as (
  delete from live_job l using picked p where l.ctid = p.place
  returning p.i, ${LIVE_KEYS}, ${ends.at("now_is", "p.i")} as now_is, ${attemptTimes(ends, "p.i")},
    l.has_dependents, l.cancel_requested_at, ${LIVE_FACTS}),
attempts as (insert into dispatched_job (${ATTEMPT_INTO}) select ${attemptValues(ends)} from timed),
job_ends as (
  insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
    worker_id, exit_code, reason, error, queued_at, eligible_at, ready_at, cancel_requested_at, result)
  select id, fin, org_id, queue_id, name_id, now_is, attempt, ${ends.at("failures")}, worker_id,
    ${ends.at("exit_code")}, ${ends.at("reason")}, ${ends.at("error")}, queued_at, eligible_at, ready_at,
    cancel_requested_at, ${ends.at("result")}::json from timed),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, outcome, reason, worker_id, actor, since)
  ${RUNNING_EVENTS}
  union all
  select ${eventId("i * 2 + 1")}, fin, org_id, queue_id, name_id, id, attempt,
    case when begun is not null then 'running'::job_state else was end, now_is, null,
    ${ends.at("outcome")}, ${ends.at("reason")}, worker_id, ${ends.at("actor")}, null from timed),
deltas as (${counterDeltasOf("timed")})`;

const END = `with ${ended()}
select array_agg(i)::text as places, array_agg(worker_id)::text as workers,
  array_agg(has_dependents)::text as dependents, array_agg(has_workflow)::text as workflows,
  array_agg(extract(epoch from fin)::float8)::text as fins from timed`;

/**
 * The caller has locked the jobs by id, with a statement before this one. Returns what ended;
 * `has_dependents` asks for `resolve_dependents` in the same transaction.
 */
export function endJobs(tx: Transaction, rows: FinalEnd[]): Promise<EndedInFull[]> {
  return inTurns(sorted(rows), async (some) => {
    const [answer] = await tx.unsafe(END, ends.params(some), { prepare: true });
    const workers = numbers(answer?.workers);
    const dependents = truths(answer?.dependents);
    const workflows = truths(answer?.workflows);
    const fins = numbers(answer?.fins);
    return numbers(answer?.places).map((place, at) => ({
      ...endedRow(some[place - 1]!, workflows[at]!),
      worker_id: workers[at]!,
      has_dependents: dependents[at]!,
      fin: fins[at]!,
    }));
  });
}

const END_PLAIN = `with beat as (insert into beat (id) values ($${ends.next}::uuid)),
${ended("and not l.has_dependents", "for update of live_job skip locked")}
select array_agg(i)::text as places, (array_agg(i) filter (where has_workflow))::text as workflows
from timed`;

/**
 * A whole beat in one statement, which is its transaction: locks the jobs by id and ends those that
 * nobody holds, nobody has changed since it began, and nothing depends on. (What changed has another
 * ctid than the snapshot shows, so it is not deleted.) Whatever is not returned is for `endJobs`.
 */
export async function endPlainJobs(sql: Sql, rows: FinalEnd[], beat: string): Promise<EndedRow[]> {
  const some = sorted(rows);
  const [answer] = await sql.unsafe(END_PLAIN, [...ends.params(some), beat], { prepare: true });
  const workflows = new Set(numbers(answer?.workflows));
  return numbers(answer?.places).map((place) => endedRow(some[place - 1]!, workflows.has(place)));
}

function sorted(rows: FinalEnd[]): FinalEnd[] {
  return byId(rows, (row) => row.job);
}

// From an answer of one row: a driver spends more on 400 rows than on the lists in them.

function endedRow({ job, state, queue }: FinalEnd, workflow: boolean): EndedRow {
  return { id: job, state, queue_id: queue, has_workflow: workflow };
}
