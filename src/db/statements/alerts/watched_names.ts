/** Which job names alert rules look at, and what is known of each besides its minutes. Bounded reads. */
import type { Sql, Transaction } from "../../client.ts";
import { READY_NAMES } from "../rollups/samples.ts";
import { RULE_SINCE } from "../schedules/rule_since.ts";

const prepared = { prepare: true };

/** Names that one look reaches: those that ran last, and those that are to run. */
export const NAMES_MAX = 1_000;
const WAITING_MAX = 200;
const SCHEDULES_MAX = 2_000;
/** Names of one schedule, which may submit a workflow of many. */
const NAMES_OF_ONE = 20;
const DAY_MS = 86_400_000;
/** What has not run for so long is looked at only where it is due. */
const REMEMBERED_DAYS = 7;
const AT = (n: number) => `to_timestamp($${n}::float8 / 1000)`;
const MS = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;
const ids = (list: Iterable<number>) => `{${[...list].join()}}`;

export interface DueRow {
  org: number;
  name: string;
  cron: string;
  time_zone: string;
  isPaused: boolean;
  /** Its rule holds since. */
  since: number;
}

/** A row for each schedule and each name that it submits. */
export async function readDueNames(sql: Sql | Transaction): Promise<DueRow[]> {
  const rows = await sql.unsafe(
    `select org_id as org, cron, time_zone, paused_at is not null as "isPaused",
       ${RULE_SINCE} as since,
       case when job is not null then array[job ->> 'name'] else array(
         select distinct j ->> 'name' from json_array_elements(workflow -> 'jobs') j
         where j ->> 'name' is not null limit ${NAMES_OF_ONE}) end as names
     from schedule order by id limit ${SCHEDULES_MAX}`,
    [],
    prepared,
  );
  return rows.flatMap(({ names, ...row }) =>
    (names as string[]).map((name) => ({ ...(row as unknown as Omit<DueRow, "name">), name })),
  );
}

export interface ToldInterval {
  org: number;
  name: string;
  intervalMs: number;
  graceMs: number | null;
  since: number;
}

export async function readToldIntervals(sql: Sql | Transaction): Promise<ToldInterval[]> {
  const rows = await sql.unsafe(
    `select e.org_id as org, n.name, e.interval_seconds * 1000::float8 as "intervalMs",
       e.grace_seconds * 1000::float8 as "graceMs", ${MS("e.updated_at")} as since
     from name_expectation e join job_name n on n.id = e.name_id order by e.name_id limit ${SCHEDULES_MAX}`,
    [],
    prepared,
  );
  return rows as unknown as ToldInterval[];
}

export interface WatchedName {
  id: number;
  org: number;
  /** Of the organization, as people call it. */
  orgName: string;
  name: string;
  lastRunAt: number | null;
  lastSuccessAt: number | null;
  /** Ready, and waiting for a slot. */
  queueNow: number;
}

/**
 * Names that ran lately, are to run, wait, or have an alert; the latest first where there are too many.
 * @param only of these ids and no others, whatever they did
 */
export async function readWatchedNames(
  sql: Sql | Transaction,
  now: number,
  due: readonly { org: number; name: string }[],
  only: readonly number[] | null = null,
): Promise<WatchedName[]> {
  const rows = await sql.unsafe(
    `with waiting as (
       select name_id as id, ready from (${READY_NAMES}) r where name_id > 0 and ready > 0
       order by ready desc limit ${WAITING_MAX}),
     looked as (
       (select name_id as id from name_run where last_run_at > ${AT(1)} order by last_run_at desc
         limit ${NAMES_MAX})
       union select n.id from unnest($2::int[], $3::text[]) as d(org, name)
         join job_name n on n.org_id = d.org and n.name = d.name
       union select id from waiting
       union select name_id from alert
       union select unnest($4::int[]))
     select n.id, n.org_id as org, coalesce(o.name, 'system') as "orgName", n.name,
       ${MS("r.last_run_at")} as "lastRunAt", ${MS("r.last_success_at")} as "lastSuccessAt",
       coalesce(w.ready, 0)::float8 as "queueNow"
     from looked l join job_name n on n.id = l.id and n.counted
     left join org o on o.id = n.org_id
     left join name_run r on r.name_id = n.id left join waiting w on w.id = n.id
     where $4::int[] is null or n.id = any($4)
     order by n.id limit ${NAMES_MAX * 2}`,
    [
      now - REMEMBERED_DAYS * DAY_MS,
      ids(due.map((one) => one.org)),
      textList(due),
      only && ids(only),
    ],
    prepared,
  );
  return rows as unknown as WatchedName[];
}

function textList(due: readonly { name: string }[]): string {
  const quoted = due.map(({ name }) => `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);
  return `{${quoted.join()}}`;
}

/** Sizes of queues at the look that is nearest before a moment; null: nobody looked within a minute of it. */
export async function readQueuesAt(
  sql: Sql | Transaction,
  at: number,
  names: readonly number[],
): Promise<Map<number, number> | null> {
  const [look] = await sql.unsafe(
    `select at from instance_sample where org_id = 0 and name_id = 0 and at <= ${AT(1)}
       and at > ${AT(1)} - interval '1 minute' order by at desc limit 1`,
    [at],
    prepared,
  );
  if (look === undefined) return null;
  const rows = await sql.unsafe(
    `select name_id as id, pending::float8 as n from instance_sample
     where at = $1 and name_id = any($2::int[])`,
    [look.at, ids(names)],
    prepared,
  );
  return new Map(rows.map((row) => [row.id as number, row.n as number]));
}
