/**
 * Which names a page of background jobs may show: those with a schedule, those that ran last, and those of
 * which most waits. Bounded, by indexes, whatever the number of names; masked by organization.
 */
import { SYSTEM_ORG, SYSTEM_ORG_ID } from "../../core/background/system_org.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";

export interface NameRow {
  id: number;
  org: number;
  name: string;
  /** Epoch milliseconds; null: never. */
  runAt: number | null;
  successAt: number | null;
  failureAt: number | null;
  failureJob: string | null;
  failureError: string | null;
  /** How often it is to run, as somebody has said. */
  told: { intervalSeconds: number; graceSeconds: number | null; since: number } | null;
}

export interface Asked {
  orgs: OrgFilter;
  /** Of a name that is asked for, its ids. */
  ids: readonly number[] | null;
}

/** Names that ran last, over all organizations. */
export const RECENT_MAX = 300;
/** And of each of a few organizations at least so many. */
const RECENT_EACH_MIN = 20;
const WAITING_MAX = 100;
/** Rows of one look that are sorted by what waits. */
const WAITING_READ = 4_000;

/** The names that ran last, since `since`. */
export async function recentNames(
  reads: Sql,
  { orgs, ids }: Asked,
  since: number,
): Promise<number[]> {
  const from = new Date(since);
  const rows = await (ids !== null
    ? reads<{ id: number }[]>`
        select name_id as id from name_run
        where name_id = any(${ids as number[]}::int[]) ${andOfOrgs(reads, reads`org_id`, orgs)}
        limit ${RECENT_MAX}`
    : orgs === "all"
      ? reads<{ id: number }[]>`
          select name_id as id from name_run where last_run_at >= ${from}
          order by last_run_at desc limit ${RECENT_MAX}`
      : reads<{ id: number }[]>`
          select r.id from unnest(${orgs as number[]}::int[]) as o(id) cross join lateral (
            select name_id as id, last_run_at from name_run
            where org_id = o.id and last_run_at >= ${from}
            order by last_run_at desc
            limit ${Math.max(RECENT_EACH_MIN, Math.floor((4 * RECENT_MAX) / Math.max(1, orgs.length)))}) r
          order by r.last_run_at desc limit ${RECENT_MAX}`);
  return rows.map((row) => row.id);
}

/** Those that somebody expects. */
export async function toldNames(reads: Sql, { orgs, ids }: Asked): Promise<number[]> {
  const own = ids === null ? reads`` : reads`and name_id = any(${ids as number[]}::int[])`;
  const rows = await reads<{ id: number }[]>`
    select name_id as id from name_expectation
    where true ${own} ${andOfOrgs(reads, reads`org_id`, orgs)} limit ${RECENT_MAX}`;
  return rows.map((row) => row.id);
}

/** Of which most waits for a slot, at the last look. */
export async function waitingNames(reads: Sql, { orgs, ids }: Asked): Promise<number[]> {
  const own = ids === null ? reads`` : reads`and name_id = any(${ids as number[]}::int[])`;
  const rows = await reads<{ id: number }[]>`
    select name_id as id from (
      select name_id, pending from instance_sample
      where at = (select at from instance_sample
          where org_id = 0 and name_id = 0 and at > now() - interval '5 minutes'
          order by at desc limit 1)
        and name_id > 0 ${own} ${andOfOrgs(reads, reads`org_id`, orgs)}
      limit ${WAITING_READ}) t
    order by pending desc limit ${WAITING_MAX}`;
  return rows.map((row) => row.id);
}

interface Row {
  id: number;
  org_id: number;
  name: string;
  run: number | null;
  success: number | null;
  failure: number | null;
  failure_job: string | null;
  failure_error: string | null;
  interval: number | null;
  grace: number | null;
  said: number | null;
}

/** What is known of these names, as far as they are of these organizations. */
export async function readNames(
  reads: Sql,
  orgs: OrgFilter,
  ids: readonly number[],
): Promise<NameRow[]> {
  if (ids.length === 0) return [];
  const rows = await reads<Row[]>`
    select n.id, n.org_id, n.name, extract(epoch from r.last_run_at)::float8 * 1000 as run,
      extract(epoch from r.last_success_at)::float8 * 1000 as success,
      extract(epoch from r.last_failure_at)::float8 * 1000 as failure,
      r.last_failure_job as failure_job, r.last_failure_error as failure_error,
      e.interval_seconds as interval, e.grace_seconds as grace,
      extract(epoch from e.updated_at)::float8 * 1000 as said
    from job_name n left join name_run r on r.name_id = n.id
      left join name_expectation e on e.name_id = n.id
    where n.id = any(${ids as number[]}::int[]) and n.counted ${andOfOrgs(reads, reads`n.org_id`, orgs)}`;
  return rows.map((row) => ({
    ...{ id: row.id, org: row.org_id, name: row.name, runAt: row.run, successAt: row.success },
    failureAt: row.failure,
    ...{ failureJob: row.failure_job, failureError: row.failure_error },
    told:
      row.interval === null
        ? null
        : { intervalSeconds: row.interval, graceSeconds: row.grace, since: row.said ?? 0 },
  }));
}

/** What an organization is called; `nameOf` knows those that are some. */
export function orgLabel(id: number, nameOf: (id: number) => string | undefined): string {
  return id === SYSTEM_ORG_ID ? SYSTEM_ORG : (nameOf(id) ?? "?");
}
