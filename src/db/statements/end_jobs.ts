/**
 * Final ends: the live row goes, its attempt row, end row, phase events and counter deltas come,
 * all for exactly the rows whose lease (session and token) still stands (engine rule 7).
 *
 * A job whose cancel was asked ends well or cancelled: another end is refused, to be resolved again.
 */
import { numbers, truths } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import { inTurns, rowArrays } from "../row_arrays.ts";
import {
  ATTEMPT_INTO,
  attemptColumns,
  attemptTimes,
  attemptValues,
  type FinalEnd,
  LIVE_VALUES,
  RUNNING_EVENTS,
  standing,
} from "./attempt_columns.ts";
import { counterDeltasOf } from "./counters.ts";

export interface EndedRow {
  id: string;
  state: "succeeded" | "failed" | "cancelled" | "dependency_failed";
  queue_id: number;
  worker_id: number | null;
  has_dependents: boolean;
  has_workflow: boolean;
  /** Epoch seconds. */
  fin: number;
}

const ends = rowArrays<FinalEnd>([
  ...attemptColumns<FinalEnd>(),
  ["result", "json", (e) => e.result],
]);

const picked = (also: string) => `
  select l.ctid as place, t.i::int as i from ${standing(ends)}
    and (l.cancel_requested_at is null or ${ends.at("now_is", "t.i::int")} in ('succeeded', 'cancelled')
      or ${ends.at("reason", "t.i::int")} = 'unstorable_report') ${also}`;

const ended = (also: string) => `
picked as materialized (${picked(also)}),
timed as (
  delete from live_job l using picked p where l.ctid = p.place
  returning p.i, ${LIVE_VALUES}, l.cancel_requested_at, l.has_dependents, l.state as was,
    ${ends.at("now_is", "p.i")} as now_is, ${attemptTimes(ends, "p.i")}),
attempts as (insert into dispatched_job (${ATTEMPT_INTO}) select ${attemptValues(ends)} from timed),
job_ends as (
  insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
    worker_id, exit_code, reason, error, queued_at, eligible_at, ready_at, cancel_requested_at, result)
  select id, fin, org_id, queue_id, name_id, now_is, attempt, ${ends.at("failures")}, worker_id,
    ${ends.at("exit_code")}, ${ends.at("reason")}, ${ends.at("error")}, queued_at, eligible_at, ready_at,
    cancel_requested_at, ${ends.at("result")}::json from timed),
events as (
  insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, outcome, reason, worker_id, actor)
  ${RUNNING_EVENTS}
  union all
  select fin, org_id, queue_id, name_id, id, attempt,
    case when begun is not null then 'running'::job_state else was end, now_is, null,
    ${ends.at("outcome")}, ${ends.at("reason")}, worker_id, ${ends.at("actor")} from timed),
deltas as (${counterDeltasOf("timed")})
select array_agg(i)::text as places, array_agg(queue_id)::text as queues,
  array_agg(worker_id)::text as workers, array_agg(has_dependents)::text as dependents,
  array_agg(has_workflow)::text as workflows,
  array_agg(extract(epoch from fin)::float8)::text as fins from timed`;

const END = `with ${ended("")}`;

/**
 * The caller has locked the jobs by id, with a statement before this one. Returns what ended;
 * `has_dependents` asks for `resolve_dependents` in the same transaction.
 */
export function endJobs(tx: Transaction, rows: FinalEnd[]): Promise<EndedRow[]> {
  return inTurns(rows, async (some) => {
    const [answer] = await tx.unsafe(END, ends.params(some), { prepare: true });
    return endedRows(some, answer);
  });
}

const END_PLAIN = `with beat as (insert into beat (id) values ($${ends.next}::uuid)),
${ended("and not l.has_dependents order by t.id for update of l skip locked")}`;

/**
 * A whole beat in one statement, which is its transaction: locks the jobs by id and ends those that
 * nobody holds, nobody has changed since it began, and nothing depends on. (What changed has another
 * ctid than the snapshot shows, so it is not deleted.) Whatever is not returned is for `endJobs`.
 */
export async function endPlainJobs(sql: Sql, rows: FinalEnd[], beat: string): Promise<EndedRow[]> {
  const [answer] = await sql.unsafe(END_PLAIN, [...ends.params(rows), beat], { prepare: true });
  return endedRows(rows, answer);
}

/** From an answer of one row: a driver spends more on 400 rows than on the lists in them. */
function endedRows(rows: FinalEnd[], answer: Record<string, string> | undefined): EndedRow[] {
  const queues = numbers(answer?.queues);
  const workers = numbers(answer?.workers);
  const dependents = truths(answer?.dependents);
  const workflows = truths(answer?.workflows);
  const fins = numbers(answer?.fins);
  return numbers(answer?.places).map((place, at) => {
    const { job, state } = rows[place - 1]!;
    return {
      id: job,
      state,
      queue_id: queues[at]!,
      worker_id: workers[at]!,
      has_dependents: dependents[at]!,
      has_workflow: workflows[at]!,
      fin: fins[at]!,
    };
  });
}
