/** Which logs are there for a reason: asked by retention and by the deep clean-up. */
import { plainArray, textArray } from "../../arrays.ts";
import type { Sql, Transaction } from "../../client.ts";

const LATE = `
select id from live_job where id >= $1::uuid and id < $2::uuid
union all
select job_id from job_end
where job_id >= $1::uuid and job_id < $2::uuid and finished_at >= to_timestamp($3::float8)
limit $4`;

/** Of the jobs made in this range of ids, those that live, or ended at `since` (epoch ms) or later. */
export async function readLateJobs(
  sql: Sql,
  [low, high]: readonly [string, string],
  since: number,
  limit: number,
): Promise<string[]> {
  const rows = await sql.unsafe(LATE, [low, high, since / 1000, limit]);
  return rows.map(({ id }) => id as string);
}

export interface LogOwner {
  job: string;
  attempt: number;
}

const MADE = `
select t.id, greatest(l.attempt, e.attempt) as attempts
from unnest($1::uuid[]) as t(id)
left join live_job l on l.id = t.id
left join lateral (
  select attempt from job_end where job_id = t.id and finished_at >= to_timestamp($2::float8) limit 1) e on true`;

/**
 * How many attempts each of these jobs has had; none is known of a job that is not there. `since`: none
 * of them was made before (epoch milliseconds).
 */
export async function attemptsMade(
  sql: Sql,
  jobs: readonly string[],
  since: number,
): Promise<Map<string, number>> {
  const rows = await sql.unsafe(MADE, [plainArray(jobs), since / 1000]);
  return new Map(rows.map(({ id, attempts }) => [id as string, (attempts as number) ?? 0]));
}

export interface LoggedAttempt extends LogOwner {
  /** As the database writes it: to the microsecond. */
  ended: string;
}

const LOGGED = `
select job_id as job, attempt, ended_at::text as ended from dispatched_job
where ended_at >= to_timestamp($1::float8) and ended_at < to_timestamp($2::float8) and log_bytes > 0
  and (job_id, attempt) > ($3::uuid, $4::int)
order by job_id, attempt limit $5`;

/** Attempts that ended in [from, to), epoch milliseconds, and wrote a log; those beyond `after`. */
export async function loggedAttempts(
  sql: Sql,
  [from, to]: readonly [number, number],
  after: LogOwner,
  limit: number,
): Promise<LoggedAttempt[]> {
  const params = [from / 1000, to / 1000, after.job, after.attempt, limit];
  return (await sql.unsafe(LOGGED, params)) as unknown as LoggedAttempt[];
}

const FORGET = `
update dispatched_job d set log_bytes = null
from unnest($1::uuid[], $2::int[], $3::text[]::timestamptz[]) as t(job, attempt, ended)
where d.job_id = t.job and d.attempt = t.attempt and d.ended_at = t.ended`;

/** Says of them that no log is known. */
export async function forgetLogs(tx: Transaction, gone: readonly LoggedAttempt[]): Promise<number> {
  const params = [
    plainArray(gone.map(({ job }) => job)),
    plainArray(gone.map(({ attempt }) => attempt)),
    textArray(gone.map(({ ended }) => ended)),
  ];
  return (await tx.unsafe(FORGET, params)).count;
}
