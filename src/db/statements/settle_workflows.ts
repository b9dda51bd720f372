/**
 * Workflows of which every job has ended are settled: failed where a job failed, cancelled where one
 * was cancelled, else succeeded. Locks the workflows by id.
 */

import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { NIL_UUID } from "./counters.ts";

const OF_JOBS = `
select distinct workflow_id as id from workflow_job where job_id = any($1::uuid[])`;

const UNFINISHED = `
select id from workflow where finished_at is null and state = 'running' and id > $1::uuid
order by id limit $2`;

/** Counters tell who may be done, cheaply; the rows have the last word. */
const SETTLE = `
with asked as (select * from unnest($1::uuid[]) as t(id)),
sums as (
  select a.id, coalesce(sum(c.n) filter (where c.state in ('queued', 'ready', 'dispatched', 'running')), 0)
      as alive,
    coalesce(sum(c.n) filter (where c.state in ('failed', 'dependency_failed')), 0) as bad,
    coalesce(sum(c.n) filter (where c.state = 'cancelled'), 0) as cancelled
  from asked a join workflow w on w.id = a.id
  cross join lateral (
    select state, n from counter where org_id = w.org_id and queue_id = 0 and name_id = 0
      and workflow_id = a.id
    union all
    select state, n from counter_delta where workflow_id = a.id and workflow_id <> '${NIL_UUID}') c
  group by a.id),
done as materialized (
  select w.id, s.bad, s.cancelled from sums s join workflow w on w.id = s.id
  where s.alive <= 0 and w.state = 'running' and w.finished_at is null
  order by w.id for no key update of w)
update workflow w set finished_at = now(), state = case when d.bad > 0 then 'failed'::workflow_state
    when d.cancelled > 0 then 'cancelled' else 'succeeded' end
from done d where w.id = d.id
  and not exists (select from workflow_job j join live_job l on l.id = j.job_id where j.workflow_id = w.id)
returning w.id, w.state, w.org_id`;

export async function workflowsOf(sql: Sql, jobs: string[]): Promise<string[]> {
  const rows = await sql.unsafe(OF_JOBS, [plainArray(jobs)], { prepare: true });
  return rows.map((r) => r.id as string);
}

export async function unfinishedWorkflows(sql: Sql, after: string, limit: number) {
  const rows = await sql.unsafe(UNFINISHED, [after, limit], { prepare: true });
  return rows.map((r) => r.id as string);
}

const LOCK = `
select id from workflow where id = any($1::uuid[]) and finished_at is null order by id for no key update`;

/**
 * Locks in one statement and decides in the next: in one, a retry that committed while we waited
 * for its lock would be invisible, and a workflow with a live job would be called finished.
 */
export async function settleWorkflows(sql: Sql, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  return await sql.begin(async (tx) => {
    const list = plainArray(ids);
    await tx.unsafe(LOCK, [list], { prepare: true });
    const rows = await tx.unsafe(SETTLE, [list], { prepare: true });
    return rows.map((r) => r.id as string);
  });
}
