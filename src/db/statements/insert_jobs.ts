/**
 * Inserts jobs with their state at rest: `job`, `live_job` (or `job_end` for a job whose dependency
 * had already ended badly) and the phase events of what happened at submission.
 *
 * Locks: none of its own; the caller has locked the dependencies (engine rule 18).
 */
import type { Transaction } from "../client.ts";
import { type Column, nested, rowSource } from "../row_source.ts";
import { EVENT_IDS, NEXT_EVENT } from "./event_ids.ts";

export interface NewJob {
  id: string;
  org: number;
  queue: number;
  name: number;
  countedName: number;
  shape: number;
  kind: "exec" | "handler";
  priority: number;
  maxAttempts: number;
  backoffBase: number;
  backoffFactor: number;
  backoffMax: number;
  timeoutSeconds: number | null;
  runAt: number | null;
  dependsOn: string[];
  dedupeKey: string | null;
  tags: Record<string, string> | null;
  createdBy: string;
  payload: unknown;
  /** Where it stands after submission. */
  state: "queued" | "ready" | "dependency_failed";
  waitingFor: "run_at" | "dependencies" | null;
  pendingDeps: number;
  dependents: number;
  hasDependents: boolean;
  hasWorkflow: boolean;
  readyRank: number | null;
  inputWorkers: number[];
  /** Why it failed at once: which dependency ended how. */
  reason: string | null;
}

/** All that the rows of a new job are made from. `deps` and `inputs` are arrays as text. */
export const NEW_JOB_COLUMNS: readonly Column<NewJob>[] = [
  ["id", "uuid", (j) => j.id],
  ["org", "int", (j) => j.org],
  ["queue", "int", (j) => j.queue],
  ["name", "int", (j) => j.name],
  ["counted", "int", (j) => j.countedName],
  ["shape", "int", (j) => j.shape],
  ["kind", "job_kind", (j) => j.kind],
  ["priority", "smallint", (j) => j.priority],
  ["attempts", "smallint", (j) => j.maxAttempts],
  ["base", "real", (j) => j.backoffBase],
  ["factor", "real", (j) => j.backoffFactor],
  ["top", "real", (j) => j.backoffMax],
  ["timeout", "real", (j) => j.timeoutSeconds],
  ["run_at", "seconds", (j) => j.runAt],
  ["deps", "text", (j) => nested(j.dependsOn)],
  ["dedupe", "text", (j) => j.dedupeKey],
  ["tags", "json", (j) => j.tags ?? undefined],
  ["by", "text", (j) => j.createdBy],
  ["payload", "json", (j) => j.payload],
  ["state", "job_state", (j) => j.state],
  ["waiting", "waiting_for", (j) => j.waitingFor],
  ["pending", "int", (j) => j.pendingDeps],
  ["dependents", "real", (j) => j.dependents],
  ["has_dependents", "boolean", (j) => j.hasDependents],
  ["has_workflow", "boolean", (j) => j.hasWorkflow],
  ["rank", "float8", (j) => j.readyRank],
  ["inputs", "text", (j) => nested(j.inputWorkers)],
  ["why", "text", (j) => j.reason],
];

/**
 * CTEs that write new jobs from a CTE `t` with these columns and `at`, when each was submitted.
 * created ▶ queued, and queued ▶ ready or dependency_failed where it went on at once.
 */
export const NEW_JOBS = `
new_jobs as (
  insert into job (id, org_id, queue_id, name_id, shape_id, kind, priority, max_attempts,
    backoff_base, backoff_factor, backoff_max, timeout_seconds, run_at, created_at, depends_on,
    dedupe_key, tags, created_by, payload)
  select id, org, queue, name, shape, kind, priority, attempts, base, factor, top, timeout,
    to_timestamp(run_at), at, deps::uuid[], dedupe, tags::jsonb, by, payload::json
  from t),
new_live as (
  insert into live_job (id, org_id, queue_id, name_id, counted_name, shape_id, state, waiting_for,
    priority, max_attempts, pending_deps, dependents, has_inputs, has_dependents, has_workflow,
    ready_rank, queued_at, due_at, eligible_at, ready_at, input_workers)
  select id, org, queue, name, counted, shape, state, waiting, priority, attempts, pending,
    dependents, deps is not null, has_dependents, has_workflow, rank, at,
    case when waiting = 'run_at' then to_timestamp(run_at) end,
    case when waiting is distinct from 'run_at' then at end,
    case when state = 'ready' then at end, inputs::int[]
  from t where state <> 'dependency_failed'),
new_ends as (
  insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
    reason, queued_at)
  select id, at, org, queue, name, 'dependency_failed', 0, 0, why, at
  from t where state = 'dependency_failed'),
${EVENT_IDS},
new_events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, reason, actor, since)
  select ${NEXT_EVENT}, t.at, org, queue, name, id, 0, s.was, s.now_is, s.waiting, s.reason, t.by,
    case when s.now_is = 'ready' then t.at end
  from t
  cross join lateral (
    values ('created'::job_state, 'queued'::job_state, t.waiting, null::text),
           ('queued'::job_state, t.state, null::waiting_for, t.why)
  ) as s(was, now_is, waiting, reason)
  where s.was = 'created' or t.state <> 'queued')`;

const given = rowSource<NewJob>("u", NEW_JOB_COLUMNS);
const INSERT = `
with t as materialized (
  select u.*, to_timestamp($${given.next}::float8) as at from ${given.sql}),
${NEW_JOBS}
select`;

/** Rows a statement; a bulk of 10,000 goes as several inside one transaction. */
const CHUNK = 2_000;

/** `at`: database time of the submission, milliseconds. */
export async function insertJobs(tx: Transaction, all: NewJob[], at: number): Promise<void> {
  for (let from = 0; from < all.length; from += CHUNK) {
    const rows = all.slice(from, from + CHUNK);
    await tx.unsafe(INSERT, [...given.params(rows), at / 1000], { prepare: true });
  }
}
