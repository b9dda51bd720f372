/** Alerts, their history and silences, as the API and the board show them. Reads only. */

import { type RuleName, ruleOf } from "../../core/alerts/rules.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";

export interface AlertView {
  id: string;
  org: string;
  rule: RuleName;
  severity: "critical" | "warning";
  job_name: string;
  state: "pending" | "firing";
  summary: string;
  description: string;
  value: number | null;
  limit: number | null;
  /** The condition has held since. */
  since: string;
  fired_at: string | null;
  /** The condition does not hold any more since; it resolves soon. */
  clear_since: string | null;
  silenced: boolean;
}

export interface AlertEventView {
  id: string;
  alert: string;
  org: string;
  rule: RuleName;
  severity: "critical" | "warning";
  job_name: string;
  kind: "firing" | "resolved" | "lapsed";
  at: string;
  since: string;
  summary: string;
  description: string;
  value: number | null;
  limit: number | null;
  silenced: boolean;
}

export interface SilenceView {
  id: string;
  /** Null: of every organization. */
  org: string | null;
  rule: string | null;
  job_name: string | null;
  starts_at: string;
  ends_at: string;
  active: boolean;
  reason: string;
  created_at: string;
  created_by: string;
  ended_by: string | null;
}

type Row = Record<string, unknown>;
export const ALERTS_MAX = 1_000;

/** Whether a silence covers it now: as `core/alerts/silence.ts` decides. */
const silenced = (sql: Sql, now: Date) => sql`
  exists (select from silence s where s.ends_at > ${now} and s.starts_at <= ${now}
    and (s.org_id is null or s.org_id = a.org_id) and (s.rule is null or s.rule = a.rule)
    and (s.job_name is null or s.job_name = n.name
      or right(s.job_name, 1) = '*' and starts_with(n.name, left(s.job_name, -1)))) as silenced`;

interface Part {
  limit: number;
  /** Of the last one that was read. */
  after?: string | undefined;
}

/** Those that fire first, the critical before the others. `after`: `alertKey` of the last one. */
export async function readAlertViews(
  sql: Sql,
  orgs: OrgFilter,
  now: number,
  { limit, after }: Part = { limit: ALERTS_MAX },
): Promise<AlertView[]> {
  const since = sql`date_trunc('milliseconds', a.since)`;
  const [state, severity, at, id] = after?.split(" ") ?? [];
  const beyond =
    after === undefined
      ? sql``
      : sql`and (a.state, a.severity, ${since}, a.id)
          > (${state!}, ${severity!}, ${at!}::timestamptz, ${id!}::uuid)`;
  const rows = await sql<Row[]>`
    select a.*, coalesce(o.name, 'system') as org, n.name as job_name, ${silenced(sql, new Date(now))}
    from alert a join job_name n on n.id = a.name_id left join org o on o.id = a.org_id
    where true ${andOfOrgs(sql, sql`a.org_id`, orgs)} ${beyond}
    order by a.state, a.severity, ${since}, a.id limit ${limit}`;
  return rows.map((row) => ({
    ...common(row),
    id: row.id as string,
    state: row.state as AlertView["state"],
    fired_at: iso(row.fired_at),
    clear_since: iso(row.clear_since),
    silenced: row.silenced as boolean,
  }));
}

export function alertKey({ state, severity, since, id }: AlertView): string {
  return `${state} ${severity} ${since} ${id}`;
}

/** Newest first; `before`: only those with a smaller id. */
export async function readAlertEvents(
  sql: Sql,
  orgs: OrgFilter,
  {
    before,
    limit,
    nameId = null,
    rule = null,
  }: { before: number | null; limit: number; nameId?: number | null; rule?: RuleName | null },
): Promise<AlertEventView[]> {
  const rows = await sql<Row[]>`
    select a.*, coalesce(o.name, 'system') as org, n.name as job_name
    from alert_event a join job_name n on n.id = a.name_id left join org o on o.id = a.org_id
    where true ${before === null ? sql`` : sql`and a.id < ${before}`}
      ${nameId === null ? sql`` : sql`and a.name_id = ${nameId}`}
      ${rule === null ? sql`` : sql`and a.rule = ${rule}`}
      ${andOfOrgs(sql, sql`a.org_id`, orgs)}
    order by a.id desc limit ${limit}`;
  return rows.map((row) => ({
    ...common(row),
    id: String(row.id),
    alert: row.alert_id as string,
    kind: row.kind as AlertEventView["kind"],
    at: iso(row.at)!,
    silenced: row.silence_id !== null,
  }));
}

function common(row: Row) {
  const job = row.job_name as string;
  return {
    org: row.org as string,
    rule: row.rule as RuleName,
    severity: row.severity as "critical" | "warning",
    job_name: job,
    summary: ruleOf(row.rule as string)?.summary(job) ?? (row.rule as string),
    description: row.sentence as string,
    value: row.value as number | null,
    limit: row.limit_value as number | null,
    since: iso(row.since)!,
  };
}

/**
 * Those that end last first. `orgs` null: those of every organization alone; else these organizations' own,
 * and of the others those that can cover a job of theirs: what would silence nothing of them is not told.
 * `after`: `silenceKey` of the last one.
 */
export async function readSilences(
  sql: Sql,
  orgs: OrgFilter | null,
  { now, limit, after, id = null }: Part & { now: number; id?: string | null },
): Promise<SilenceView[]> {
  const at = new Date(now);
  const ends = sql`date_trunc('milliseconds', s.ends_at)`;
  const [end, last] = after?.split(" ") ?? [];
  const beyond =
    after === undefined ? sql`` : sql`and (${ends}, s.id) < (${end!}::timestamptz, ${last!}::uuid)`;
  const rows = await sql<Row[]>`
    select s.*, o.name as org, s.starts_at <= ${at} and s.ends_at > ${at} as active
    from silence s left join org o on o.id = s.org_id
    where true ${ofWhom(sql, orgs)} ${beyond} ${id === null ? sql`` : sql`and s.id = ${id}`}
    order by ${ends} desc, s.id desc limit ${limit}`;
  return rows.map((row) => ({
    id: row.id as string,
    org: row.org as string | null,
    rule: row.rule as string | null,
    job_name: row.job_name as string | null,
    starts_at: iso(row.starts_at)!,
    ends_at: iso(row.ends_at)!,
    active: row.active as boolean,
    reason: row.reason as string,
    created_at: iso(row.created_at)!,
    created_by: row.created_by as string,
    ended_by: row.ended_by as string | null,
  }));
}

function ofWhom(sql: Sql, orgs: OrgFilter | null) {
  if (orgs === null) return sql`and s.org_id is null`;
  if (orgs === "all") return sql``;
  const own = orgs as number[];
  return sql`and (s.org_id = any(${own}::int[]) or s.org_id is null and exists (
    select from job_name n where n.org_id = any(${own}::int[])
      and (s.job_name is null or n.name = s.job_name
        or right(s.job_name, 1) = '*' and starts_with(n.name, left(s.job_name, -1)))))`;
}

export function silenceKey({ ends_at, id }: SilenceView): string {
  return `${ends_at} ${id}`;
}

const iso = (time: unknown) => (time as Date | null)?.toISOString() ?? null;
