/**
 * The recount of counters (engine rule 11). Counters, their deltas and the rows that they count are
 * read by one statement, hence in one snapshot. The repair is a delta like any other: it is right
 * whatever is counted meanwhile.
 */
import type { Transaction } from "../client.ts";
import { NIL_UUID } from "./counters.ts";

export interface Drift {
  org: number;
  queue: number;
  name: number;
  workflow: string;
  state: string;
  /** What was added: rows less count. */
  repaired: number;
}

const COUNTED = `
  select c.org_id, c.queue_id, c.name_id, c.workflow_id, c.state, sum(c.n) as n from (
    select org_id, queue_id, name_id, workflow_id, state, n from counter
    union all
    select org_id, queue_id, name_id, workflow_id, state, n from counter_delta) c
  where c.workflow_id = '${NIL_UUID}' or exists (
    select from workflow w where w.id = c.workflow_id and w.finished_at is null)
  group by 1, 2, 3, 4, 5`;

/** Nobody asks for the counts of a workflow that has finished. */
const MEMBERS = `
  select distinct w.org_id, m.workflow_id, m.job_id, coalesce(l.state, e.state) as state
  from workflow w join workflow_job m on m.workflow_id = w.id
  left join live_job l on l.id = m.job_id
  left join lateral (
    select state from job_end where job_id = m.job_id and l.id is null limit 1) e on true
  where w.finished_at is null and coalesce(l.state, e.state) is not null`;

const ROWS = `
  select org_id, queue_id, 0 as name_id, '${NIL_UUID}'::uuid as workflow_id, state, count(*) as n
  from live_job group by 1, 2, 5
  union all
  select org_id, 0, counted_name, '${NIL_UUID}'::uuid, state, count(*) from live_job group by 1, 3, 5
  union all
  select org_id, 0, 0, workflow_id, state, count(*) from (${MEMBERS}) m group by 1, 4, 5`;

const REPAIR = `
with wrong as (
  select org_id, queue_id, name_id, workflow_id, state, sum(n)::bigint as n from (
    select org_id, queue_id, name_id, workflow_id, state, n from (${ROWS}) r
    union all
    select org_id, queue_id, name_id, workflow_id, state, -n from (${COUNTED}) c) x
  group by 1, 2, 3, 4, 5 having sum(n) <> 0),
repaired as (
  insert into counter_delta (org_id, queue_id, name_id, workflow_id, state, n)
  select org_id, queue_id, name_id, workflow_id, state, n from wrong)
select org_id as org, queue_id as queue, name_id as name, workflow_id as workflow, state, n as repaired
from wrong order by 1, 2, 3, 4, 5`;

/** Recounts everything and repairs what is off. Reads all of `live_job`, so it may take its time. */
export async function repairCounters(tx: Transaction): Promise<Drift[]> {
  // What pins the plans of hot statements is wrong for one that reads whole tables (engine rule 12).
  await tx.unsafe(`select set_config(name, 'on', true) from pg_settings
    where name in ('enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'enable_bitmapscan')`);
  await tx.unsafe(`select set_config(name, '0', true) from pg_settings
    where name = 'transaction_timeout'`);
  return (await tx.unsafe(REPAIR)) as unknown as Drift[];
}

const DUE = `
insert into setting as s (key, value) values ('counters_checked', 'true')
on conflict (key) do update set changed_at = now()
where s.changed_at < now() - make_interval(secs => $1) returning 1`;

/** Whether the last recount is that long ago; then it is noted as made now. */
export async function recountIsDue(tx: Transaction, seconds: number): Promise<boolean> {
  return (await tx.unsafe(DUE, [seconds], { prepare: true })).length > 0;
}
