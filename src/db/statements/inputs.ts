/**
 * Results of the direct dependencies of leased jobs. `satisfied_at` equals the dependency's
 * `finished_at`, so each probe finds its one partition of `job_end`.
 */
import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";

export interface InputRow {
  dependent_id: string;
  dependency_id: string;
  /** The dependency's key in a workflow that both belong to, where there is one. */
  key: string | null;
  result: unknown;
}

const INPUTS = `
select e.dependent_id, e.dependency_id, r.result, (
  select a.key from workflow_job a
  where a.job_id = e.dependency_id and exists (
    select from workflow_job b
    where b.job_id = e.dependent_id and b.workflow_id = a.workflow_id offset 0) limit 1) as key
from unnest($1::uuid[]) as t(id)
join edge e on e.dependent_id = any(array[t.id])
left join lateral (
  select result from job_end
  where job_id = e.dependency_id and finished_at = e.satisfied_at offset 0) r on true`;

export async function readInputs(sql: Sql, dependents: string[]): Promise<InputRow[]> {
  if (dependents.length === 0) return [];
  const rows = await sql.unsafe(INPUTS, [plainArray(dependents)], { prepare: true });
  return rows as unknown as InputRow[];
}
