/** Dedupe keys whose job has ended name nothing any more (engine rule 31). */
import { plainArray, textArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";

const prepared = { prepare: true };

export interface JobKeyPlace {
  org: number;
  key: string;
}

const LOOK = `
select k.org_id as org, k.key, l.id is null as idle
from (select org_id, key, job_id from job_key where (org_id, key) > ($1, $2)
      order by org_id, key limit $3) k
left join lateral (select id from live_job where id = k.job_id offset 0) l on true
order by k.org_id, k.key`;

/** Looks at `limit` keys after `after`; `idle` are those of jobs that have ended. */
export async function idleJobKeys(
  sql: Sql,
  after: JobKeyPlace,
  limit: number,
): Promise<{ idle: JobKeyPlace[]; last: JobKeyPlace | null }> {
  const rows = await sql.unsafe(LOOK, [after.org, after.key, limit], prepared);
  const keys = rows as unknown as (JobKeyPlace & { idle: boolean })[];
  return { idle: keys.filter((k) => k.idle), last: keys.length < limit ? null : keys.at(-1)! };
}

const GIVEN = `unnest($1::int[], $2::text[]) as t(org, key)
cross join lateral (
  select org_id, key, job_id from job_key where org_id = t.org and key = t.key`;

const LOCK = `select from (select t.* from unnest($1::int[], $2::text[]) as t(org, key)
  order by 1, 2) as t cross join lateral (
  select from job_key where org_id = t.org and key = t.key for update) k`;

const DELETE = `
delete from job_key d using (select k.* from ${GIVEN} offset 0) k) k
where d.org_id = any(array[k.org_id]) and d.key = any(array[k.key])
  and not exists (select from live_job l where l.id = k.job_id offset 0)`;

/**
 * Removes those of these keys whose job has ended; how many. Locked first, decided with a new
 * snapshot: a submission or a retry that claims a key meanwhile is waited for and then seen.
 */
export async function pruneJobKeys(tx: Transaction, keys: JobKeyPlace[]): Promise<number> {
  const given = [plainArray(keys.map((k) => k.org)), textArray(keys.map((k) => k.key))];
  await tx.unsafe(LOCK, given, prepared);
  return (await tx.unsafe(DELETE, given, prepared)).count;
}
