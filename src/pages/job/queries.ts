/**
 * Everything the job page shows of one job, from its rows: input in `job`, state in `live_job` while
 * it lives, else in `job_end`; its attempts; its neighbours. All bounded, and found by id.
 */
import type { EndSpan } from "../../core/ids.ts";
import type { JobState, Outcome, WaitingFor } from "../../core/job_state.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { inLikelyDays } from "../../db/likely_ends.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import type { Requirements } from "../../messages/job_input.ts";
import { type AuditRow, objectAudit } from "../../web/audit/rows.ts";
import { horizonId } from "../../web/live/snapshot.ts";
import { type Edge, type Neighbours, readNeighbours } from "./neighbours.ts";

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
  items_success: number | null;
  items_failed: number | null;
  items_skipped: number | null;
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

export interface WorkflowRef {
  id: string;
  name: string;
  key: string;
}

export interface JobPageRows extends Neighbours {
  job: JobRow;
  attempts: AttemptRow[];
  workflows: WorkflowRef[];
  /** What people did to it, newest first. */
  changes: AuditRow[];
  moreChanges: boolean;
}

const ATTEMPTS_MAX = 100;
const EDGES_MAX = 2_000;
const CHANGES_MAX = 20;

type Fragment = ReturnType<Sql>;

/** What the statement answers: rows as JSON, with times as text. */
interface Found {
  xmin: string;
  job: JobRow | null;
  attempts: AttemptRow[];
  dependencies: Edge[];
  dependents: Edge[];
  workflows: WorkflowRef[];
  changes: AuditRow[];
}

/**
 * Null where there is no such job among these organizations. `id` is the feed id that the rows are true for:
 * of the job all is one statement, and so of one snapshot; its neighbours, where it has any, are of a later one.
 * Every phase of a job is read for the pages that show it, and as a transaction of nine statements that was a
 * tenth of what 1,000 jobs a second ask the database.
 *
 * A job that is not found to have ended within days of its making is looked for in all days since.
 */
export async function readJobPage(
  reads: Sql,
  id: string,
  orgs: OrgFilter,
): Promise<{ id: string; rows: JobPageRows | null }> {
  const found = await inLikelyDays(
    [id],
    (ends) => readFound(reads, { id, ends, orgs }),
    ({ job }) => job === null || job.finished_at !== null,
  );
  return pageOf(reads, found);
}

async function readFound(reads: Sql, { id, ends, orgs }: Place & { orgs: OrgFilter }) {
  const list = (query: Fragment) =>
    reads`(select coalesce(json_agg(x), '[]') from (${query}) x)` as Fragment;
  const audit = objectAudit(reads, { kind: "job", id }, { before: null, limit: CHANGES_MAX });
  const [found] = await reads<Found[]>`
    with wanted as materialized (${jobOf(reads, { id, ends, orgs })})
    select pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
      (select to_json(w) from wanted w) as job,
      ${list(attemptsOf(reads, { id, ends }))} as attempts,
      ${list(edgesOf(reads, id, "dependency"))} as dependencies,
      ${list(edgesOf(reads, id, "dependent"))} as dependents,
      ${list(workflowsOf(reads, id))} as workflows,
      ${list(audit)} as changes`;
  return found!;
}

async function pageOf(reads: Sql, found: Found): Promise<{ id: string; rows: JobPageRows | null }> {
  const { xmin, job, dependencies, dependents, workflows, changes } = found;
  const attempts = found.attempts.map(withDates);
  const rows = job && {
    job: lastOf(withDates(job), attempts),
    attempts,
    ...(await readNeighbours(reads, { dependencies, dependents })),
    workflows,
    changes: changes.slice(0, CHANGES_MAX).map(withDates),
    moreChanges: changes.length > CHANGES_MAX,
  };
  return { id: horizonId(xmin), rows };
}

/** Of a job that has ended, when it was dispatched is written with the attempt that ended it. */
function lastOf(job: JobRow, attempts: readonly AttemptRow[]): JobRow {
  const last = attempts.find(({ attempt }) => attempt === job.attempt);
  const isItsEnd = last && last.ended_at.getTime() === job.finished_at?.getTime();
  if (!isItsEnd) return job;
  return { ...job, dispatched_at: last.dispatched_at, started_at: last.started_at };
}

/** Columns with times are called so; what is inside a payload is nobody's column. */
function withDates<T extends object>(row: T): T {
  const fields = Object.entries(row).map(([key, value]) => {
    const isTime = /(^|_)at$/.test(key) && typeof value === "string";
    return [key, isTime ? new Date(value) : value];
  });
  return Object.fromEntries(fields) as T;
}

interface Place {
  id: string;
  ends: EndSpan;
}

function jobOf(sql: Sql, { id, ends, orgs }: Place & { orgs: OrgFilter }): Fragment {
  return sql`
    select j.id, j.org_id, o.name as org, n.name, u.name as queue, j.kind, j.priority, s.requirements,
      j.max_attempts, j.timeout_seconds, j.run_at, j.dedupe_key, j.tags, j.created_by,
      j.created_at, j.payload,
      coalesce(l.state, e.state, 'created') as state, l.waiting_for,
      coalesce(l.attempt, e.attempt, 0) as attempt, coalesce(l.failures, e.failures, 0) as failures,
      w.name as worker,
      coalesce(l.queued_at, e.queued_at, j.created_at) as queued_at,
      coalesce(l.eligible_at, e.eligible_at) as eligible_at,
      coalesce(l.ready_at, e.ready_at) as ready_at,
      l.dispatched_at, l.started_at, e.finished_at, l.due_at,
      coalesce(l.cancel_requested_at, e.cancel_requested_at) as cancel_requested_at,
      l.cancel_acknowledged_at, l.cancel_actor, e.exit_code, e.reason,
      coalesce(l.last_error, e.error) as error, e.result, l.progress, l.progress_note,
      l.items_success, l.items_failed, l.items_skipped,
      l.session_id is not null as leased
    from job j
    join org o on o.id = j.org_id
    join queue u on u.id = j.queue_id
    join job_name n on n.id = j.name_id
    join shape s on s.id = j.shape_id
    left join live_job l on l.id = j.id
    left join lateral (
      select * from job_end e where e.job_id = j.id and l.id is null
        and e.finished_at >= ${ends.since} and e.finished_at < ${ends.until}
      order by e.finished_at desc limit 1) e on true
    left join worker w on w.id = coalesce(l.worker_id, e.worker_id)
    where j.id = ${id} ${andOfOrgs(sql, sql`j.org_id`, orgs)}` as Fragment;
}

/** Newest first. */
function attemptsOf(sql: Sql, { id, ends }: Place): Fragment {
  return sql`
    select d.attempt, d.outcome, d.reason, d.error, d.exit_code, d.signal, w.name as worker,
      d.queued_at, d.eligible_at, d.ready_at, d.dispatched_at, d.started_at, d.ended_at, d.run_ms,
      d.peak_ram_mb, d.cpu_ms, d.disk_read_bytes, d.disk_write_bytes, d.network_mbps,
      d.oom_killed, d.usage_source, d.items_success, d.items_failed, d.items_skipped,
      d.log_bytes
    from dispatched_job d
    join worker w on w.id = d.worker_id
    where d.job_id = ${id} and d.ended_at >= ${ends.since} and d.ended_at < ${ends.until}
      and exists (select from wanted)
    order by d.attempt desc limit ${ATTEMPTS_MAX}` as Fragment;
}

function edgesOf(sql: Sql, id: string, side: "dependency" | "dependent"): Fragment {
  const [theirs, ours] =
    side === "dependency"
      ? [sql`dependency_id`, sql`dependent_id`]
      : [sql`dependent_id`, sql`dependency_id`];
  return sql`
    select ${theirs} as id, satisfied_at is not null as satisfied
    from edge where ${ours} = ${id} limit ${EDGES_MAX}` as Fragment;
}

function workflowsOf(sql: Sql, id: string): Fragment {
  return sql`
    select f.id, f.name, m.key from workflow_job m join workflow f on f.id = m.workflow_id
    where m.job_id = ${id} order by f.id limit 20` as Fragment;
}
