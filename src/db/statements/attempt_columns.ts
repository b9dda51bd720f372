/** What the end of an attempt writes into `dispatched_job`, shared by final ends and returns. */
import type { FinalState, Outcome, WaitingFor } from "../../core/job_state.ts";
import type { Items, Usage } from "../../messages/frames.ts";
import type { RowArrays } from "../row_arrays.ts";
import type { Column } from "../row_source.ts";
import { eventId } from "./event_ids.ts";

export interface AttemptEnd {
  job: string;
  queue: number;
  session: number;
  token: string;
  outcome: Outcome;
  reason: string | null;
  error: string | null;
  exitCode: number | null;
  signal: string | null;
  /** Milliseconds, database time; null where no start was reported before. */
  startedAt: number | null;
  endedAt: number;
  runMs: number | null;
  usage: Usage | null;
  items: Items | null;
  logBytes: number | null;
  failures: number;
  lost: number;
  rejections: number;
  actor: string | null;
}

/** The attempt ended and so did the job. */
export interface FinalEnd extends AttemptEnd {
  state: FinalState;
  result: unknown;
}

/** The attempt ended and the job goes on. */
export interface ReturnedEnd extends AttemptEnd {
  state: "queued" | "ready";
  waitingFor: WaitingFor | null;
  /** End of the backoff, milliseconds; null for `ready`. */
  dueAt: number | null;
  /** Set where the worker must not get this job again. */
  rejectedBy: number | null;
}

export function attemptColumns<T extends AttemptEnd>(): Column<T>[] {
  return [
    ["id", "uuid", (e) => e.job],
    ["session", "bigint", (e) => e.session],
    ["token", "uuid", (e) => e.token],
    ["outcome", "outcome", (e) => e.outcome],
    ["reason", "text", (e) => e.reason],
    ["error", "text", (e) => e.error],
    // As 32 bits with a sign: Windows counts without one.
    ["exit_code", "int", (e) => (e.exitCode === null ? null : e.exitCode | 0)],
    ["signal", "text", (e) => e.signal],
    ["started", "seconds", (e) => e.startedAt],
    ["ended", "seconds", (e) => e.endedAt],
    ["run_ms", "float8", (e) => (e.runMs === null ? null : Math.min(e.runMs, RUN_MS_MAX))],
    ["ram", "real", (e) => real(e.usage?.peak_ram_mb)],
    ["cpu", "float8", (e) => e.usage?.cpu_ms],
    ["disk_read", "bigint", (e) => whole(e.usage?.disk_read_bytes)],
    ["disk_write", "bigint", (e) => whole(e.usage?.disk_write_bytes)],
    ["network", "real", (e) => real(e.usage?.network_mbps)],
    ["oom", "boolean", (e) => e.usage?.oom_killed],
    ["usage_source", "json", (e) => e.usage?.source],
    ["items_success", "bigint", (e) => e.items?.success],
    ["items_failed", "bigint", (e) => e.items?.failed],
    ["items_skipped", "bigint", (e) => e.items?.skipped],
    ["log_bytes", "bigint", (e) => e.logBytes],
    ["failures", "smallint", (e) => e.failures],
    ["actor", "text", (e) => e.actor],
    ["now_is", "job_state", (e) => (e as unknown as { state: string }).state],
  ];
}

/** A century: longer than any run, and still a time that can be subtracted from now. */
const RUN_MS_MAX = 3.2e12;

/** What four bytes hold: a smaller number than that would be refused, not rounded. */
function real(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.fround(Math.round(value * 1000) / 1000);
}

function whole(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

/** The columns of `dispatched_job`, in the order of `attemptValues`. */
export const ATTEMPT_INTO = `
  job_id, attempt, org_id, queue_id, name_id, worker_id, session_id, token, outcome, state_after, reason,
  error, exit_code, signal, queued_at, eligible_at, ready_at, dispatched_at, started_at, ended_at,
  run_ms, peak_ram_mb, cpu_ms, disk_read_bytes, disk_write_bytes, network_mbps, oom_killed,
  usage_source, items_success, items_failed, items_skipped, log_bytes, score, beat, beat_place`;

/**
 * The values of `ATTEMPT_INTO`: from a CTE with the live row's columns, the report's place `i`, and
 * begun, fin and now_is; the rest is read from the arrays.
 */
export function attemptValues<T>(rows: RowArrays<T>): string {
  const { at } = rows;
  return `
  id, attempt, org_id, queue_id, name_id, worker_id, session_id, token, ${at("outcome")}, now_is,
  ${at("reason")}, ${at("error")}, ${at("exit_code")}, ${at("signal")}, queued_at, eligible_at, ready_at,
  dispatched_at, begun, fin, ${at("run_ms")}, ${at("ram")}, ${at("cpu")}, ${at("disk_read")},
  ${at("disk_write")}, ${at("network")}, ${at("oom")}, ${at("usage_source")}::jsonb, ${at("items_success")},
  ${at("items_failed")}, ${at("items_skipped")}, ${at("log_bytes")}, score, beat, beat_place`;
}

/**
 * Live columns that an attempt's end reads, of the row `l`. First what every reader of the CTE wants,
 * never null and of fixed width: a reader unpacks a row as far as the last column that it uses.
 */
export const LIVE_KEYS = `l.id, l.org_id, l.queue_id, l.name_id, l.attempt, l.counted_name,
  l.has_workflow, l.state as was`;
export const LIVE_FACTS = `l.worker_id, l.session_id, l.token, l.queued_at, l.eligible_at, l.ready_at,
  l.dispatched_at, l.score, l.beat, l.beat_place`;

/**
 * When the attempt began and ended: never before the phase before it. A start that travels in the
 * same beat as the end was not written by itself; one that was not reported, of an attempt that ran
 * (`run_ms` known), lies before the end by as much. `place`: of the report.
 */
export function attemptTimes<T>(rows: RowArrays<T>, place: string): string {
  const at = (name: string) => rows.at(name, place);
  return `
  greatest(coalesce(l.started_at, l.dispatched_at), to_timestamp(${at("ended")})) as fin,
  case when l.started_at is not null then l.started_at
       when ${at("started")} is not null or ${at("run_ms")} is not null then greatest(
         l.dispatched_at, to_timestamp(coalesce(${at("started")}, ${at("ended")} - ${at("run_ms")} / 1000)))
       else null end as begun`;
}

/**
 * The reported rows whose lease still stands, as `l` with their place `i`, in the order of ids;
 * `lock` as `for update skip locked`. One walk over the index, whose place in the sorted reports is
 * found by halving: to probe the index for each report cost three times as much.
 */
export function standing<T>(rows: RowArrays<T>, lock = ""): string {
  return `(select live_job.ctid as place, live_job.*, ${rows.place("live_job.id")} as i
    from live_job where live_job.id = any(${rows.all("id")}) order by live_job.id ${lock}) l
  where l.token = ${rows.at("token", "l.i")}
    and l.session_id is not distinct from ${rows.at("session", "l.i")}`;
}

/** An attempt that ran without its start having been recorded gets that event too, before its last. */
export const RUNNING_EVENTS = `
  select ${eventId("i * 2")}, begun, org_id, queue_id, name_id, id, attempt, 'dispatched'::job_state,
    'running'::job_state,
    null::waiting_for, null::outcome, null::text, worker_id, null::text, dispatched_at
  from timed where begun is not null and was = 'dispatched'`;
