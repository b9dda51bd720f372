/** Schedules as tables and the API show them: with their rule in words, the next runs and the last. */
import { nextDueTimes } from "../../core/schedules/due_times.ts";
import { cronWords } from "../../core/schedules/words.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import type { ScheduleSettings } from "../../messages/schedule_input.ts";
import { type FireView, readFires } from "./fires.ts";

type Settings = Omit<ScheduleSettings, "job" | "workflow">;

export interface ScheduleItem extends Settings {
  id: string;
  org: string;
  /** The rule as a sentence. */
  words: string;
  submits: { kind: "job" | "workflow"; name: string; queue: string | null };
  paused_at: string | null;
  paused_by: string | null;
  pause_reason: string | null;
  /** None while it is paused. */
  next_runs: string[];
  /** With its jitter, or when it is caught up. */
  next_fire_at: string | null;
  last_fire_at: string | null;
  last_outcome: string | null;
  last_fire: FireView | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

export interface ScheduleDetail extends ScheduleItem {
  job: ScheduleSettings["job"];
  workflow: ScheduleSettings["workflow"];
  /** Newest first. */
  last_fires: FireView[];
}

export interface ScheduleCounts {
  running: number;
  paused: number;
}

const NEXT_RUNS = 5;
const LAST_FIRES = 10;
/** Rows whose next runs are computed in one go, while nobody else is served. */
const AT_ONCE = 10;

type Row = Record<string, unknown> & { id: string; name: string };

/**
 * By name, then id; from after `after`, which is `keyOf` the last one of the page before. `like`: part of
 * the name.
 */
export async function listSchedules(
  sql: Sql,
  orgs: OrgFilter,
  { after, limit, now, like = "" }: { after: string; limit: number; now: number; like?: string },
): Promise<ScheduleItem[]> {
  const [name = "", id = ""] = after.split(" ");
  const beyond = after === "" ? sql`` : sql`and (s.name, s.id) > (${name}, ${id}::uuid)`;
  const named = like === "" ? sql`` : sql`and strpos(lower(s.name), ${like.toLowerCase()}) > 0`;
  const rows = (await sql`
    select ${columns(sql)}, s.job ->> 'name' as job_name, s.job ->> 'queue' as queue,
      s.workflow ->> 'name' as workflow_name
    from schedule s join org o on o.id = s.org_id
    where true ${andOfOrgs(sql, sql`s.org_id`, orgs)} ${beyond} ${named}
    order by s.name, s.id limit ${limit}`) as unknown as Row[];
  const fires = await readFires(
    sql,
    rows.map((row) => row.id),
    { each: 1 },
  );
  const items: ScheduleItem[] = [];
  for (const [at, row] of rows.entries()) {
    if (at % AT_ONCE === AT_ONCE - 1) await new Promise((next) => setImmediate(next));
    items.push(itemOf(row, fires.get(row.id) ?? [], now));
  }
  return items;
}

export function keyOf({ name, id }: Pick<ScheduleItem, "name" | "id">): string {
  return `${name} ${id}`;
}

/** Null where there is none among these organizations. */
export async function readScheduleDetail(
  sql: Sql,
  id: string,
  orgs: OrgFilter,
  now: number,
): Promise<ScheduleDetail | null> {
  const [row] = (await sql`
    select ${columns(sql)}, s.job, s.workflow, s.job ->> 'name' as job_name, s.job ->> 'queue' as queue,
      s.workflow ->> 'name' as workflow_name
    from schedule s join org o on o.id = s.org_id
    where s.id = ${id} ${andOfOrgs(sql, sql`s.org_id`, orgs)}`) as unknown as Row[];
  if (row === undefined) return null;
  const fires = (await readFires(sql, [id], { each: LAST_FIRES })).get(id) ?? [];
  const { job, workflow } = row as unknown as Pick<ScheduleDetail, "job" | "workflow">;
  return { ...itemOf(row, fires, now), job, workflow, last_fires: fires };
}

export async function countSchedules(sql: Sql, orgs: OrgFilter): Promise<ScheduleCounts> {
  const [row] = await sql`
    select (count(*) filter (where s.paused_at is null))::int as running,
      (count(*) filter (where s.paused_at is not null))::int as paused
    from schedule s where true ${andOfOrgs(sql, sql`s.org_id`, orgs)}`;
  return row as unknown as ScheduleCounts;
}

const columns = (sql: Sql) => sql`
  s.id, o.name as org, s.name, s.description, s.cron, s.time_zone, s.overlap, s.catch_up, s.catch_up_max,
  s.jitter_seconds, s.vendor_type, s.vendor_id, s.managed_by, s.paused_at, s.paused_by, s.pause_reason,
  s.due_at, s.last_fire_at, s.created_at, s.created_by, s.updated_at, s.updated_by`;

const iso = (time: unknown) => (time as Date | null)?.toISOString() ?? null;

function itemOf(row: Row, fires: FireView[], now: number): ScheduleItem {
  const { job_name, workflow_name, queue, due_at, job: _job, workflow: _workflow, ...rest } = row;
  const { cron, time_zone } = rest as unknown as Settings;
  const isPaused = row.paused_at !== null;
  const next = isPaused ? [] : nextDueTimes({ cron, timeZone: time_zone }, now, NEXT_RUNS);
  return {
    ...(rest as unknown as Settings & Pick<ScheduleItem, "id" | "org" | "paused_by">),
    ...{ pause_reason: row.pause_reason as string | null, paused_at: iso(row.paused_at) },
    words: cronWords(cron),
    submits: {
      kind: job_name === null ? "workflow" : "job",
      name: (job_name ?? workflow_name) as string,
      queue: queue as string | null,
    },
    next_runs: next.map((at) => new Date(at).toISOString()),
    next_fire_at: iso(due_at),
    last_fire_at: iso(row.last_fire_at),
    last_outcome: fires[0]?.outcome ?? null,
    last_fire: fires[0] ?? null,
    ...{ created_at: iso(row.created_at)!, created_by: row.created_by as string },
    ...{ updated_at: iso(row.updated_at)!, updated_by: row.updated_by as string },
  };
}
