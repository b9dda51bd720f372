/**
 * Workflows of which every job has ended are settled: failed where a job failed, cancelled where one
 * was cancelled or all of them were asked to be, else succeeded. Locks the workflows by id.
 */

import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { NIL_UUID } from "./counters.ts";

const OF_JOBS = `
select w.id from unnest($1::uuid[]) t(id) cross join lateral (
  select workflow_id as id from workflow_job where job_id = any(array[t.id]) offset 0) w`;

const UNFINISHED = `
select id from workflow where finished_at is null and state = 'running' and id > $1::uuid
order by id limit $2`;

/** Counters tell who may be done, cheaply; the rows have the last word. */
const SETTLE = `
with sums as (
  select a.id, coalesce(sum(c.n) filter (where c.state in ('queued', 'ready', 'dispatched', 'running')), 0)
      as alive,
    coalesce(sum(c.n) filter (where c.state in ('failed', 'dependency_failed')), 0) as bad,
    coalesce(sum(c.n) filter (where c.state = 'cancelled'), 0) as cancelled
  from unnest($1::uuid[], $2::int[]) as a(id, org)
  left join lateral (
    (select state, n from counter where org_id = a.org and queue_id = 0 and name_id = 0
      and workflow_id = a.id offset 0)
    union all
    (select state, n from counter_delta
      where workflow_id = a.id and workflow_id <> '${NIL_UUID}' offset 0)) c on true
  group by a.id)
update workflow w set finished_at = now(), state = case when s.bad > 0 then 'failed'::workflow_state
    when s.cancelled > 0 or w.cancel_requested_at is not null then 'cancelled' else 'succeeded' end
from sums s
where w.id = any(array[s.id]) and s.alive <= 0 and w.state = 'running'
  and coalesce(w.finished_at, 'infinity') = 'infinity'
  and not exists (
    select from workflow_job j join live_job l on l.id = any(array[j.job_id])
    where j.workflow_id = w.id offset 0)
returning w.id`;

export async function workflowsOf(sql: Sql, jobs: string[]): Promise<string[]> {
  const rows = await sql.unsafe(OF_JOBS, [plainArray(jobs)], { prepare: true });
  // Once each, here: asked to be distinct, the plan may read an index whole for its order.
  return [...new Set(rows.map((r) => r.id as string))];
}

export async function unfinishedWorkflows(sql: Sql, after: string, limit: number) {
  const rows = await sql.unsafe(UNFINISHED, [after, limit], { prepare: true });
  return rows.map((r) => r.id as string);
}

const LOCK = `
select id, org_id from workflow where id = any($1::uuid[]) and state = 'running' order by id
for no key update`;

/**
 * Locks in one statement and decides in the next: in one, a retry that committed while we waited
 * for its lock would be invisible, and a workflow with a live job would be called finished.
 */
export async function settleWorkflows(sql: Sql, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  return await sql.begin(async (tx) => {
    const running = await tx.unsafe(LOCK, [plainArray(ids)], { prepare: true });
    if (running.length === 0) return [];
    const rows = await tx.unsafe(
      SETTLE,
      [plainArray(running.map((r) => r.id)), plainArray(running.map((r) => r.org_id))],
      { prepare: true },
    );
    return rows.map((r) => r.id as string);
  });
}
