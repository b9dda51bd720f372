/**
 * The recount of counters (engine rule 11). Counters, their deltas and the rows that they count are
 * read by one statement, hence in one snapshot. The repair is a delta like any other: it is right
 * whatever is counted meanwhile.
 */
import type { Sql, Transaction } from "../client.ts";
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

/** Nobody asks for the counts of a workflow that has finished; of an old one retention took some ends. */
const WHOLE = `w.finished_at is null
    and w.created_at >= (select before from pruned where table_name = 'job_end')`;

const COUNTED = `
  select c.org_id, c.queue_id, c.name_id, c.workflow_id, c.state, sum(c.n) as n from (
    select org_id, queue_id, name_id, workflow_id, state, n from counter
    union all
    select org_id, queue_id, name_id, workflow_id, state, n from counter_delta) c
  where c.workflow_id = '${NIL_UUID}' or exists (
    select from workflow w where w.id = c.workflow_id and ${WHOLE})
  group by 1, 2, 3, 4, 5`;

const MEMBERS = `
  select distinct w.org_id, m.workflow_id, m.job_id, coalesce(l.state, e.state) as state
  from workflow w join workflow_job m on m.workflow_id = w.id
  left join live_job l on l.id = m.job_id
  left join lateral (
    select state from job_end where job_id = m.job_id and l.id is null limit 1) e on true
  where ${WHOLE} and coalesce(l.state, e.state) is not null`;

const ROWS = `
  select org_id, queue_id, 0 as name_id, '${NIL_UUID}'::uuid as workflow_id, state, count(*) as n
  from live_job group by 1, 2, 5
  union all
  select org_id, 0, counted_name, '${NIL_UUID}'::uuid, state, count(*) from live_job group by 1, 3, 5
  union all
  select org_id, 0, 0, workflow_id, state, count(*) from (${MEMBERS}) m group by 1, 4, 5`;

const DRIFT = `
select org_id as org, queue_id as queue, name_id as name, workflow_id as workflow, state, sum(n)::float8 as repaired
from (
  select org_id, queue_id, name_id, workflow_id, state, n from (${ROWS}) r
  union all
  select org_id, queue_id, name_id, workflow_id, state, -n from (${COUNTED}) c) x
group by 1, 2, 3, 4, 5 having sum(n) <> 0 order by 1, 2, 3, 4, 5`;

/**
 * Recounts everything and returns what is off. It may take its time, and writes nothing: a
 * transaction that has written would hold the feed's horizon meanwhile (engine rule 28).
 */
export function findDrift(sql: Sql): Promise<Drift[]> {
  return sql.begin("read only", async (tx) => {
    // What pins the plans of hot statements is wrong for one that reads whole tables (rule 12).
    await tx.unsafe(`select set_config(name, 'on', true) from pg_settings
      where name in ('enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'enable_bitmapscan')`);
    await tx.unsafe(`select set_config(name, '0', true) from pg_settings
      where name in ('transaction_timeout', 'statement_timeout')`);
    return (await tx.unsafe(DRIFT)) as unknown as Drift[];
  }) as Promise<Drift[]>;
}

const REPAIR = `
insert into counter_delta (org_id, queue_id, name_id, workflow_id, state, n)
select org, queue, name, workflow, state, repaired
from jsonb_to_recordset($1::text::jsonb) as d(
  org int, queue int, name int, workflow uuid, state job_state, repaired bigint)`;

export async function repairDrift(tx: Transaction, drift: Drift[]): Promise<void> {
  await tx.unsafe(REPAIR, [JSON.stringify(drift)]);
}

const AGE = `
select exists (
  select from setting where key = 'counters_checked'
    and changed_at >= now() - make_interval(secs => $1)) as fresh`;

/** Whether the last recount is less than that long ago. */
export async function recountIsFresh(sql: Sql, seconds: number): Promise<boolean> {
  const [row] = await sql.unsafe(AGE, [seconds], { prepare: true });
  return row!.fresh;
}

const DUE = `
insert into setting as s (key, value) values ('counters_checked', 'true')
on conflict (key) do update set changed_at = now()
where s.changed_at < now() - make_interval(secs => $1) returning 1`;

/** Whether nobody recounted since; then it is noted as made now. A repair made twice would be drift. */
export async function claimRecount(tx: Transaction, seconds: number): Promise<boolean> {
  return (await tx.unsafe(DUE, [seconds], { prepare: true })).length > 0;
}
