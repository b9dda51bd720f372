/** How often names are to run: by their schedules. Read for the organizations that are looked at. */
import type { Expectation } from "../../core/background/staleness.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import { RULE_SINCE } from "../../db/statements/schedules/rule_since.ts";

/** Schedules that are looked at; of more, those of further names are not known. */
export const SCHEDULES_MAX = 200;
/** Names of one schedule, which may submit a workflow of many. */
const NAMES_MAX = 20;

export interface Scheduled {
  org: number;
  name: string;
  expectation: Expectation;
}

interface Row {
  org_id: number;
  cron: string;
  time_zone: string;
  is_paused: boolean;
  since: number;
  names: string[];
}

/** `isWhole` false: there are more schedules, of which nothing was read. `name` empty: of all names. */
export async function readScheduled(
  reads: Sql,
  orgs: OrgFilter,
  name: string,
): Promise<{ scheduled: Scheduled[]; isWhole: boolean }> {
  const named =
    name === ""
      ? reads``
      : reads`and (s.job ->> 'name' = ${name} or exists (
          select from json_array_elements(s.workflow -> 'jobs') j where j ->> 'name' = ${name}))`;
  const rows = await reads<Row[]>`
    select s.org_id, s.cron, s.time_zone, s.paused_at is not null as is_paused,
      ${reads.unsafe(RULE_SINCE)} as since,
      case when s.job is not null then array[s.job ->> 'name'] else array(
        select distinct j ->> 'name' from json_array_elements(s.workflow -> 'jobs') j
        where j ->> 'name' is not null limit ${NAMES_MAX}) end as names
    from schedule s where true ${named} ${andOfOrgs(reads, reads`s.org_id`, orgs)}
    order by s.org_id, s.name limit ${SCHEDULES_MAX + 1}`;
  const read = rows.slice(0, SCHEDULES_MAX);
  const asked = name === "" ? read : read.map((row) => ({ ...row, names: [name] }));
  return { scheduled: scheduledOf(asked), isWhole: rows.length <= SCHEDULES_MAX };
}

export interface ScheduleOfName extends Row {
  id: string;
  name: string;
}

/** Those that submit jobs of this name. */
export async function readSchedulesOf(
  reads: Sql,
  org: number,
  name: string,
): Promise<ScheduleOfName[]> {
  return await reads<ScheduleOfName[]>`
    select s.id, s.name, s.org_id, s.cron, s.time_zone, s.paused_at is not null as is_paused,
      ${reads.unsafe(RULE_SINCE)} as since, array[${name}::text] as names
    from schedule s
    where s.org_id = ${org} and (s.job ->> 'name' = ${name} or exists (
      select from json_array_elements(s.workflow -> 'jobs') j where j ->> 'name' = ${name}))
    order by s.name limit ${NAMES_MAX}`;
}

/** One expectation a name, whatever the number of its schedules. */
export function scheduledOf(rows: readonly Row[]): Scheduled[] {
  const byName = new Map<string, { org: number; name: string; rows: Row[] }>();
  for (const row of rows) {
    for (const name of row.names) {
      const key = `${row.org_id} ${name}`;
      const known = byName.get(key) ?? { org: row.org_id, name, rows: [] };
      known.rows.push(row);
      byName.set(key, known);
    }
  }
  return [...byName.values()].map(({ org, name, rows: own }) => {
    const running = own.filter((row) => !row.is_paused);
    if (running.length === 0) return { org, name, expectation: { kind: "paused" } };
    const rules = running.map((row) => ({
      ...{ cron: row.cron, timeZone: row.time_zone, since: row.since },
    }));
    const since = Math.min(...running.map((row) => row.since));
    return { org, name, expectation: { kind: "scheduled", rules, since } };
  });
}

/** Ids of names, as far as any job was ever submitted with them. By `org name`. */
export async function idsOfNames(
  reads: Sql,
  names: readonly { org: number; name: string }[],
): Promise<Map<string, number>> {
  if (names.length === 0) return new Map();
  const rows = await reads<{ id: number; org_id: number; name: string }[]>`
    select n.id, n.org_id, n.name
    from unnest(${names.map((one) => one.org)}::int[], ${names.map((one) => one.name)}::text[]) as t(org, name)
    join job_name n on n.org_id = t.org and n.name = t.name`;
  return new Map(rows.map((row) => [`${row.org_id} ${row.name}`, row.id]));
}
