/**
 * Everything the job page shows of one job, from its rows: input in `job`, state in `live_job` while
 * it lives, else in `job_end`; its attempts; its neighbours. All bounded, and found by id.
 */
import type { JobState, Outcome, WaitingFor } from "../../core/job_state.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import type { Requirements } from "../../messages/job_input.ts";
import { type AuditRow, readObjectAudit } from "../../web/audit/rows.ts";
import { readSnapshot } from "../../web/live_snapshot.ts";

export interface JobRow {
  id: string;
  org_id: number;
  org: string;
  name: string;
  queue: string;
  kind: "exec" | "handler";
  priority: number;
  requirements: Requirements;
  max_attempts: number;
  timeout_seconds: number | null;
  run_at: Date | null;
  dedupe_key: string | null;
  tags: Record<string, string> | null;
  created_by: string | null;
  created_at: Date;
  payload: unknown;
  state: JobState;
  waiting_for: WaitingFor | null;
  attempt: number;
  failures: number;
  worker: string | null;
  queued_at: Date;
  eligible_at: Date | null;
  ready_at: Date | null;
  dispatched_at: Date | null;
  started_at: Date | null;
  finished_at: Date | null;
  due_at: Date | null;
  cancel_requested_at: Date | null;
  cancel_acknowledged_at: Date | null;
  cancel_actor: string | null;
  exit_code: number | null;
  reason: string | null;
  error: string | null;
  result: unknown;
  progress: number | null;
  progress_note: string | null;
  /** A worker holds it. */
  leased: boolean;
}

export interface AttemptRow {
  attempt: number;
  outcome: Outcome;
  reason: string | null;
  error: string | null;
  exit_code: number | null;
  signal: string | null;
  worker: string;
  queued_at: Date;
  eligible_at: Date | null;
  ready_at: Date;
  dispatched_at: Date;
  started_at: Date | null;
  ended_at: Date;
  run_ms: number | null;
  peak_ram_mb: number | null;
  cpu_ms: number | null;
  disk_read_bytes: number | null;
  disk_write_bytes: number | null;
  network_mbps: number | null;
  oom_killed: boolean | null;
  usage_source: Record<string, string> | null;
  items_success: number | null;
  items_failed: number | null;
  items_skipped: number | null;
  log_bytes: number | null;
}

export interface NeighbourRow {
  id: string;
  name: string;
  state: JobState;
  satisfied: boolean;
}

export interface WorkflowRef {
  id: string;
  name: string;
  key: string;
}

export interface JobPageRows {
  job: JobRow;
  attempts: AttemptRow[];
  dependencies: NeighbourRow[];
  dependents: NeighbourRow[];
  moreDependencies: boolean;
  moreDependents: boolean;
  workflows: WorkflowRef[];
  /** What people did to it, newest first. */
  changes: AuditRow[];
  moreChanges: boolean;
}

export const NEIGHBOURS_MAX = 50;
const ATTEMPTS_MAX = 100;
const CHANGES_MAX = 20;

/** Null where there is no such job among these organizations. `id` is the feed id that the rows are true for. */
export async function readJobPage(
  reads: Sql,
  id: string,
  orgs: OrgFilter,
): Promise<{ id: string; rows: JobPageRows | null }> {
  const snapshot = await readSnapshot(reads, async (tx) => {
    const job = await readJob(tx, id, orgs);
    if (!job) return null;
    const attempts = await readAttempts(tx, job);
    const dependencies = await readNeighbours(tx, id, "dependency");
    const dependents = await readNeighbours(tx, id, "dependent");
    const changes = await readObjectAudit(
      tx,
      { kind: "job", id },
      { before: null, limit: CHANGES_MAX },
    );
    return {
      job,
      attempts,
      dependencies: dependencies.slice(0, NEIGHBOURS_MAX),
      dependents: dependents.slice(0, NEIGHBOURS_MAX),
      moreDependencies: dependencies.length > NEIGHBOURS_MAX,
      moreDependents: dependents.length > NEIGHBOURS_MAX,
      workflows: await readWorkflows(tx, id),
      changes: changes.rows,
      moreChanges: changes.next !== null,
    };
  });
  return { id: snapshot.id, rows: snapshot.value };
}

async function readJob(tx: Transaction, id: string, orgs: OrgFilter): Promise<JobRow | null> {
  const [row] = await tx<JobRow[]>`
    select j.id, j.org_id, o.name as org, n.name, u.name as queue, j.kind, j.priority, s.requirements,
      j.max_attempts, j.timeout_seconds, j.run_at, j.dedupe_key, j.tags, j.created_by,
      j.created_at, j.payload,
      coalesce(l.state, e.state, 'created') as state, l.waiting_for,
      coalesce(l.attempt, e.attempt, 0) as attempt, coalesce(l.failures, e.failures, 0) as failures,
      w.name as worker,
      coalesce(l.queued_at, e.queued_at, j.created_at) as queued_at,
      coalesce(l.eligible_at, e.eligible_at) as eligible_at,
      coalesce(l.ready_at, e.ready_at) as ready_at,
      coalesce(l.dispatched_at, d.dispatched_at) as dispatched_at,
      coalesce(l.started_at, d.started_at) as started_at, e.finished_at, l.due_at,
      coalesce(l.cancel_requested_at, e.cancel_requested_at) as cancel_requested_at,
      l.cancel_acknowledged_at, l.cancel_actor, e.exit_code, e.reason,
      coalesce(l.last_error, e.error) as error, e.result, l.progress, l.progress_note,
      l.session_id is not null as leased
    from job j
    join org o on o.id = j.org_id
    join queue u on u.id = j.queue_id
    join job_name n on n.id = j.name_id
    join shape s on s.id = j.shape_id
    left join live_job l on l.id = j.id
    left join lateral (
      select * from job_end e where e.job_id = j.id and l.id is null
        and e.finished_at >= j.created_at - interval '1 minute'
      order by e.finished_at desc limit 1) e on true
    left join dispatched_job d
      on d.job_id = e.job_id and d.attempt = e.attempt and d.ended_at = e.finished_at
    left join worker w on w.id = coalesce(l.worker_id, e.worker_id)
    where j.id = ${id} ${andOfOrgs(tx, tx`j.org_id`, orgs)}`;
  return row ?? null;
}

/** Newest first. */
async function readAttempts(tx: Transaction, job: JobRow): Promise<AttemptRow[]> {
  const since = new Date(job.created_at.getTime() - 60_000);
  return tx<AttemptRow[]>`
    select d.attempt, d.outcome, d.reason, d.error, d.exit_code, d.signal, w.name as worker,
      d.queued_at, d.eligible_at, d.ready_at, d.dispatched_at, d.started_at, d.ended_at, d.run_ms,
      d.peak_ram_mb, d.cpu_ms, d.disk_read_bytes, d.disk_write_bytes, d.network_mbps,
      d.oom_killed, d.usage_source, d.items_success, d.items_failed, d.items_skipped,
      d.log_bytes
    from dispatched_job d
    join worker w on w.id = d.worker_id
    where d.job_id = ${job.id} and d.ended_at >= ${since}
    order by d.attempt desc limit ${ATTEMPTS_MAX}`;
}

/** Unfinished ones first: those are what somebody waits for. */
async function readNeighbours(
  tx: Transaction,
  id: string,
  side: "dependency" | "dependent",
): Promise<NeighbourRow[]> {
  const [theirs, ours] =
    side === "dependency"
      ? [tx`dependency_id`, tx`dependent_id`]
      : [tx`dependent_id`, tx`dependency_id`];
  return tx<NeighbourRow[]>`
    select j.id, n.name, coalesce(l.state, e.state, 'created') as state,
      g.satisfied_at is not null as satisfied
    from (select ${theirs} as id, satisfied_at from edge where ${ours} = ${id} limit 2000) g
    join job j on j.id = g.id
    join job_name n on n.id = j.name_id
    left join live_job l on l.id = j.id
    left join lateral (
      select e.state from job_end e where e.job_id = j.id and l.id is null
        and e.finished_at >= j.created_at - interval '1 minute'
      order by e.finished_at desc limit 1) e on true
    order by l.id is null, n.name, j.id limit ${NEIGHBOURS_MAX + 1}`;
}

async function readWorkflows(tx: Transaction, id: string): Promise<WorkflowRef[]> {
  return tx<WorkflowRef[]>`
    select f.id, f.name, m.key from workflow_job m join workflow f on f.id = m.workflow_id
    where m.job_id = ${id} order by f.id limit 20`;
}
