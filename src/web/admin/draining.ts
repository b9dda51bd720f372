/** Whether the whole instance is drained, and what still runs: for superusers, over all organizations. */
import type { JobState } from "../../core/job_state.ts";
import type { Sql } from "../../db/client.ts";

export interface RunningJob {
  job: string;
  name: string;
  org: string;
  state: JobState;
  worker: string;
  /** It runs since then; one that has not begun was dispatched then. */
  since: Date;
}

export interface Draining {
  enabled: boolean;
  /** Who drains it, since when and why; null where nobody does. */
  by: string | null;
  at: Date | null;
  reason: string | null;
  /** What has run longest first, a bounded number. */
  running: RunningJob[];
  total: number;
}

export async function readDraining(sql: Sql, limit: number): Promise<Draining> {
  const [[setting], running, [count]] = await Promise.all([
    sql`select changed_by as by, changed_at as at, reason from setting
      where key = 'draining' and value = 'true'::jsonb`,
    sql<RunningJob[]>`
      select l.id as job, n.name, o.name as org, l.state, w.name as worker,
        coalesce(l.started_at, l.dispatched_at) as since
      from (select id, org_id, name_id, worker_id, state, started_at, dispatched_at from leased_job
        order by coalesce(started_at, dispatched_at), id limit ${limit}) l
      join job_name n on n.id = l.name_id join org o on o.id = l.org_id
      join worker w on w.id = l.worker_id
      order by since, job`,
    sql`
      select coalesce(sum(n), 0)::int as n from (
        select c.n from org o join counter c on c.org_id = o.id
        where c.queue_id > 0 and c.state in ('dispatched', 'running')
        union all
        select n from counter_delta where queue_id <> 0 and state in ('dispatched', 'running')) c`,
  ]);
  const { by = null, at = null, reason = null } = setting ?? {};
  const enabled = setting !== undefined;
  // Rows and counts are read one after the other: there are at least as many as are shown.
  const total = Math.max(running.length, count!.n as number);
  return { enabled, by, at, reason, running: [...running], total };
}
