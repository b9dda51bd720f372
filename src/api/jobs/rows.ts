/**
 * A job's parts, joined: input in `job`, state in `live_job` while it lives, else in `job_end` with
 * the times of its last attempt in `dispatched_job`. One statement, so one snapshot: a job that ends
 * meanwhile is seen before or after, never between.
 */
import type { JobState, WaitingFor } from "../../core/job_state.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import type { Requirements } from "../../messages/job_input.ts";

export interface JobRow {
  id: string;
  org: string;
  name: string;
  queue: string;
  kind: "exec" | "handler";
  priority: number;
  requirements: Requirements;
  max_attempts: number;
  backoff_base: number;
  backoff_factor: number;
  backoff_max: number;
  timeout_seconds: number | null;
  run_at: Date | null;
  depends_on: string[] | null;
  dedupe_key: string | null;
  tags: Record<string, string> | null;
  created_by: string | null;
  created_at: Date;
  state: JobState;
  waiting_for: WaitingFor | null;
  attempt: number;
  failures: number;
  worker_uid: string | null;
  worker_name: string | null;
  queued_at: Date | null;
  eligible_at: Date | null;
  ready_at: Date | null;
  dispatched_at: Date | null;
  started_at: Date | null;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
  cancel_acknowledged_at: Date | null;
  run_ms: number | null;
  exit_code: number | null;
  reason: string | null;
  error: string | null;
  progress: number | null;
  progress_note: string | null;
  items_success: number | null;
  items_failed: number | null;
  items_skipped: number | null;
  workflows: { id: string; key: string }[] | null;
  payload?: unknown;
  result?: unknown;
}

type Reader = Sql | Transaction;

/** Jobs of these ids, in no order; those that do not exist are absent. At most 1,000 ids. */
export async function readJobs(
  sql: Reader,
  ids: readonly string[],
  { withPayload = false } = {},
): Promise<JobRow[]> {
  if (ids.length === 0) return [];
  return (await sql<JobRow[]>`
    select j.id, o.name as org, n.name, u.name as queue, j.kind, j.priority, s.requirements,
      j.max_attempts, j.backoff_base, j.backoff_factor, j.backoff_max, j.timeout_seconds, j.run_at,
      j.depends_on, j.dedupe_key, j.tags, j.created_by, j.created_at,
      coalesce(l.state, e.state, 'created') as state, l.waiting_for,
      coalesce(l.attempt, e.attempt, 0) as attempt, coalesce(l.failures, e.failures, 0) as failures,
      w.uid as worker_uid, w.name as worker_name,
      coalesce(l.queued_at, e.queued_at) as queued_at,
      coalesce(l.eligible_at, e.eligible_at) as eligible_at,
      coalesce(l.ready_at, e.ready_at) as ready_at,
      coalesce(l.dispatched_at, d.dispatched_at) as dispatched_at,
      coalesce(l.started_at, d.started_at) as started_at, e.finished_at,
      coalesce(l.cancel_requested_at, e.cancel_requested_at) as cancel_requested_at,
      l.cancel_acknowledged_at, d.run_ms, e.exit_code, e.reason,
      coalesce(l.last_error, e.error) as error, l.progress, l.progress_note,
      d.items_success, d.items_failed, d.items_skipped,
      case when l.has_workflow is not false then (
        select json_agg(json_build_object('id', m.workflow_id, 'key', m.key) order by m.workflow_id)
        from workflow_job m where m.job_id = j.id) end as workflows
      ${withPayload ? sql`, j.payload, e.result` : sql``}
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
    where ${
      // A plain comparison finds the partition also in a plan that was made for any value.
      ids.length === 1 ? sql`j.id = ${ids[0]!}` : sql`j.id = any(${ids as string[]}::uuid[])`
    }`) as JobRow[];
}

/** One job with its payload and result, or null. */
export async function readJob(sql: Reader, id: string): Promise<JobRow | null> {
  return (await readJobs(sql, [id], { withPayload: true }))[0] ?? null;
}
