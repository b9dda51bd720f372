/** Months of rollups and rankings of many organizations, as the aggregator would have left them. */
import type postgres from "postgres";
import { CATALOGUE } from "../../../src/core/metrics/catalogue.ts";
import type { Sql } from "../../../src/db/client.ts";
import { ensurePartitionsFor } from "../../../src/db/partitions.ts";

const DAY = 86_400_000;
export const DAYS = 92;

/** Organizations called busy-1, busy-2, …, with a queue and a name each. */
export async function makeOrgs(sql: postgres.Sql, n: number): Promise<number[]> {
  const orgs = await sql<{ id: number }[]>`
    insert into org (name) select 'busy-' || i from generate_series(1, ${n}) i returning id`;
  await sql`insert into queue (org_id, name) select id, 'default' from org where name like 'busy-%'`;
  await sql`
    insert into job_name (org_id, name, counted) select id, 'build', true from org where name like 'busy-%'`;
  return orgs.map(({ id }) => id);
}

/** What pages add up of organizations; of the scores' terms one, as the others are read like it. */
const METRICS = CATALOGUE.filter(({ key, groupings, source }) => {
  const isLeftOut = /^(usage|score)\./.test(key) && !/^score\.(total|fair_share)$/.test(key);
  return source !== null && groupings.includes("org") && !isLeftOut;
});

/** Of each organization in every hour: 10 × its id + hour of the day events of value 2. Hours of a month. */
export async function writeRollups(
  sql: postgres.Sql,
  orgs: readonly number[],
  now: number,
): Promise<void> {
  const days = Array.from({ length: DAYS }, (_, day) => now - day * DAY);
  await ensurePartitionsFor(sql as unknown as Sql, "rollup_hour", days);
  const ids = METRICS.map(({ id }) => id);
  const binned = METRICS.filter(({ kind }) => kind === "distribution").map(({ id }) => id);
  const group = "metric_id, org_id, queue_id, name_id, worker_id";
  await sql`
    create temporary table hours as
    select m as metric_id, o as org_id, 0 as queue_id, 0 as name_id, 0 as worker_id, t as bucket_start,
      n as count, 2 * n as sum, 2 as min, 2 as max,
      case when m = any(${binned}::smallint[]) then '{1}'::smallint[] end as bins,
      case when m = any(${binned}::smallint[]) then array[n]::bigint[] end as hits
    from unnest(${ids}::smallint[]) m cross join unnest(${[...orgs]}::int[]) o
    cross join generate_series(date_trunc('day', now(), 'UTC') - 32 * interval '1 day', now(), '1 hour') t
    cross join lateral (select o * 10 + extract(hour from t at time zone 'UTC')::int as n) c`;
  const rest =
    "sum(sum), min(min), max(max), min(bins), nullif(array[sum(hits[1])]::bigint[], '{NULL}')";
  await sql`insert into rollup_hour select * from hours`;
  await sql.unsafe(
    `insert into rollup_day
     select ${group}, date_trunc('day', bucket_start, 'UTC'), sum(count), ${rest} from hours group by ${group}, 6`,
  );
  await sql.unsafe(
    `insert into rollup_day
     select ${group}, bucket_start - n * interval '1 day', count, sum, min, max, bins, hits
     from rollup_day cross join generate_series(1, ${DAYS - 33}) n
     where bucket_start = date_trunc('day', now(), 'UTC') - 32 * interval '1 day'`,
  );
  await sql.unsafe(
    `insert into rollup_week
     select ${group}, date_trunc('week', bucket_start, 'UTC'), sum(count), ${rest}
     from rollup_day group by ${group}, 6`,
  );
  const first = new Date(now - (DAYS - 1) * DAY);
  await sql`update rollup_progress set known_from = date_trunc('day', ${first}::timestamptz, 'UTC')`;
}

/** The twenty longest of each day, of each organization and (0) of all. */
export async function writeLists(sql: postgres.Sql, orgs: readonly number[]): Promise<void> {
  const places = sql`metric_id, org_id, queue_id, name_id, day, place, value, job_id, attempt, ended_at,
    job_org_id, job_queue_id, job_name_id, worker_id`;
  await sql`
    insert into ranking (${places})
    select 20, o.id, 0, 0, d::date, row_number() over (partition by o.id, d order by value desc, job),
      value, job, 1, d + interval '1 hour', o.id, q.id, n.id, 0
    from org o join queue q on q.org_id = o.id join job_name n on n.org_id = o.id
    cross join generate_series(date_trunc('day', now(), 'UTC') - ${DAYS - 1} * interval '1 day', now(), '1 day') d
    cross join generate_series(1, 20) i
    cross join lateral (
      select gen_random_uuid() as job, 1 + abs(hashtext(o.id || '/' || d || '/' || i)) % 5000 as value) v
    where o.id = any(${[...orgs]}::int[])`;
  await sql`
    insert into ranking (${places})
    select 20, 0, 0, 0, day, at, value, job_id, attempt, ended_at, job_org_id, job_queue_id, job_name_id, worker_id
    from (select *, row_number() over (partition by day order by value desc, job_id) as at from ranking) r
    where at <= 20`;
}
