/**
 * Inserts jobs with their state at rest: `job`, `live_job` (or `job_end` for a job whose dependency
 * had already ended badly) and the phase events of what happened at submission.
 *
 * Locks: none of its own; the caller has locked the dependencies (engine rule 18).
 */
import type { Transaction } from "../client.ts";
import { nested, rowSource } from "../row_source.ts";

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

const jobs = rowSource<NewJob>("t", [
  ["id", "uuid", (j) => j.id],
  ["org", "int", (j) => j.org],
  ["queue", "int", (j) => j.queue],
  ["name", "int", (j) => j.name],
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
]);
const JOBS = `
insert into job (id, org_id, queue_id, name_id, shape_id, kind, priority, max_attempts, backoff_base,
  backoff_factor, backoff_max, timeout_seconds, run_at, created_at, depends_on, dedupe_key, tags,
  created_by, payload)
select id, org, queue, name, shape, kind, priority, attempts, base, factor, top, timeout,
  to_timestamp(run_at), to_timestamp($${jobs.next}::float8), deps::uuid[], dedupe, tags::jsonb, by,
  payload::json
from ${jobs.sql}`;

const live = rowSource<NewJob>("t", [
  ["id", "uuid", (j) => j.id],
  ["org", "int", (j) => j.org],
  ["queue", "int", (j) => j.queue],
  ["name", "int", (j) => j.name],
  ["counted", "int", (j) => j.countedName],
  ["shape", "int", (j) => j.shape],
  ["state", "job_state", (j) => j.state],
  ["waiting", "waiting_for", (j) => j.waitingFor],
  ["priority", "smallint", (j) => j.priority],
  ["attempts", "smallint", (j) => j.maxAttempts],
  ["pending", "int", (j) => j.pendingDeps],
  ["dependents", "real", (j) => j.dependents],
  ["has_inputs", "boolean", (j) => j.dependsOn.length > 0],
  ["has_dependents", "boolean", (j) => j.hasDependents],
  ["has_workflow", "boolean", (j) => j.hasWorkflow],
  ["rank", "float8", (j) => j.readyRank],
  ["due", "seconds", (j) => (j.waitingFor === "run_at" ? j.runAt : null)],
  ["inputs", "text", (j) => nested(j.inputWorkers)],
]);
const LIVE = `
insert into live_job (id, org_id, queue_id, name_id, counted_name, shape_id, state, waiting_for,
  priority, max_attempts, pending_deps, dependents, has_inputs, has_dependents, has_workflow,
  ready_rank, queued_at, due_at, eligible_at, ready_at, input_workers)
select id, org, queue, name, counted, shape, state, waiting, priority, attempts, pending, dependents,
  has_inputs, has_dependents, has_workflow, rank, to_timestamp($${live.next}::float8),
  to_timestamp(due),
  case when waiting is distinct from 'run_at' then to_timestamp($${live.next}::float8) end,
  case when state = 'ready' then to_timestamp($${live.next}::float8) end, inputs::int[]
from ${live.sql}`;

const ended = rowSource<NewJob>("t", [
  ["id", "uuid", (j) => j.id],
  ["org", "int", (j) => j.org],
  ["queue", "int", (j) => j.queue],
  ["name", "int", (j) => j.name],
  ["why", "text", (j) => j.reason],
]);
const ENDED = `
insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures, reason,
  queued_at)
select id, to_timestamp($${ended.next}::float8), org, queue, name, 'dependency_failed', 0, 0, why,
  to_timestamp($${ended.next}::float8)
from ${ended.sql}`;

const events = rowSource<NewJob>("t", [
  ["id", "uuid", (j) => j.id],
  ["org", "int", (j) => j.org],
  ["queue", "int", (j) => j.queue],
  ["name", "int", (j) => j.name],
  ["state", "job_state", (j) => j.state],
  ["waiting", "waiting_for", (j) => j.waitingFor],
  ["why", "text", (j) => j.reason],
]);
/** created ▶ queued, and queued ▶ ready or dependency_failed where it went on at once. */
const EVENTS = `
insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state, waiting_for,
  reason, actor)
select to_timestamp($${events.next}::float8), org, queue, name, id, 0, s.was, s.now_is, s.waiting,
  s.reason, $${events.next + 1}::text
from ${events.sql}
cross join lateral (
  values ('created'::job_state, 'queued'::job_state, t.waiting, null::text),
         ('queued'::job_state, t.state, null::waiting_for, t.why)
) as s(was, now_is, waiting, reason)
where s.was = 'created' or t.state <> 'queued'`;

/** Rows a statement; a bulk of 10,000 goes as several inside one transaction. */
const CHUNK = 2_000;
const prepared = { prepare: true };

/** `at`: database time of the submission, milliseconds. */
export async function insertJobs(tx: Transaction, all: NewJob[], at: number, actor: string) {
  const seconds = at / 1000;
  for (let from = 0; from < all.length; from += CHUNK) {
    const rows = all.slice(from, from + CHUNK);
    const alive = rows.filter((j) => j.state !== "dependency_failed");
    const dead = rows.filter((j) => j.state === "dependency_failed");
    const work: PromiseLike<unknown>[] = [
      tx.unsafe(JOBS, [...jobs.params(rows), seconds], prepared),
    ];
    if (alive.length > 0) work.push(tx.unsafe(LIVE, [...live.params(alive), seconds], prepared));
    if (dead.length > 0) work.push(tx.unsafe(ENDED, [...ended.params(dead), seconds], prepared));
    work.push(tx.unsafe(EVENTS, [...events.params(rows), seconds, actor], prepared));
    // One connection: the statements travel together and run in order.
    await Promise.all(work);
  }
}
