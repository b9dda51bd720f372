/**
 * When each name ran last, and how. Written with the minutes of the rollups, and only ever forwards: the
 * same minutes computed again change nothing.
 */
import { SYSTEM_ORG_ID } from "../../../core/background/system_org.ts";
import type { Transaction } from "../../client.ts";
import { RUN_FAILED } from "../rollups/raw_rows.ts";

/** Of an error's text, which a table shows in a line or two. */
const ERROR_MAX = 300;

const WRITE = `
with runs as (
  select d.org_id, d.name_id, d.ended_at, d.job_id, d.outcome = 'succeeded' as is_good,
    left(coalesce(d.error, d.reason), ${ERROR_MAX}) as error
  from dispatched_job d
  where d.ended_at >= $1 and d.ended_at < $2 and (d.outcome = 'succeeded' or ${RUN_FAILED})
  union all
  select ${SYSTEM_ORG_ID}, name_id, ended_at, null, outcome = 'succeeded', left(error, ${ERROR_MAX})
  from maintenance_run where ended_at >= $1 and ended_at < $2),
failures as (
  select distinct on (name_id) name_id, ended_at, job_id, error from runs where not is_good
  order by name_id, ended_at desc, job_id),
latest as (
  select r.org_id, r.name_id, max(r.ended_at) as run_at,
    max(r.ended_at) filter (where r.is_good) as success_at
  from runs r join job_name n on n.id = r.name_id and n.counted group by 1, 2)
insert into name_run as t (name_id, org_id, last_run_at, last_success_at, last_failure_at, last_failure_job,
  last_failure_error)
select l.name_id, l.org_id, l.run_at, l.success_at, f.ended_at, f.job_id, f.error
from latest l left join failures f on f.name_id = l.name_id
order by l.name_id
on conflict (name_id) do update set
  last_run_at = greatest(t.last_run_at, excluded.last_run_at),
  last_success_at = greatest(t.last_success_at, excluded.last_success_at),
  last_failure_at = greatest(t.last_failure_at, excluded.last_failure_at),
  last_failure_job = case when t.last_failure_at >= excluded.last_failure_at
    or excluded.last_failure_at is null then t.last_failure_job else excluded.last_failure_job end,
  last_failure_error = case when t.last_failure_at >= excluded.last_failure_at
    or excluded.last_failure_at is null then t.last_failure_error else excluded.last_failure_error end
where excluded.last_run_at > t.last_run_at
  or excluded.last_success_at > coalesce(t.last_success_at, '-infinity')
  or excluded.last_failure_at > coalesce(t.last_failure_at, '-infinity')`;

/** Runs that ended in [from, to), epoch milliseconds. */
export async function writeNameRuns(tx: Transaction, from: number, to: number): Promise<void> {
  await tx.unsafe(WRITE, [new Date(from), new Date(to)], { prepare: true });
}
