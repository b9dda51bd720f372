/** When alerts of some job names fired and ended, for charts to mark. Reads only. */
import type { RuleName } from "../../core/alerts/rules.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";

export interface AlertMark {
  /** Epoch milliseconds. */
  at: number;
  kind: "firing" | "resolved" | "lapsed";
  rule: RuleName;
  severity: "critical" | "warning";
  org: string;
  job_name: string;
}

const MARKS_MAX = 200;

/** The newest of a span, and the beginnings before it of what fires still. `names`: ids; null: of all names. */
export async function readAlertMarks(
  sql: Sql,
  orgs: OrgFilter,
  { from, to, names = null }: { from: number; to: number; names?: readonly number[] | null },
): Promise<AlertMark[]> {
  const own = names === null ? sql`` : sql`and name_id = any(${names as number[]}::int[])`;
  const seen = sql`${own} ${andOfOrgs(sql, sql`org_id`, orgs)}`;
  return await sql<AlertMark[]>`
    with marks as (
      (select at, kind, rule, severity, org_id, name_id from alert_event
       where at >= ${new Date(from)} and at < ${new Date(to)} ${seen} order by at desc limit ${MARKS_MAX})
      union all
      (select fired_at, 'firing', rule, severity, org_id, name_id from alert
       where state = 'firing' and fired_at < ${new Date(from)} ${seen} limit ${MARKS_MAX}))
    select (extract(epoch from m.at) * 1000)::float8 as at, m.kind, m.rule, m.severity,
      coalesce(o.name, 'system') as org, n.name as job_name
    from marks m join job_name n on n.id = m.name_id left join org o on o.id = m.org_id
    order by m.at desc`;
}

/** A time in which an alert fired, as far as it lies in a span. */
export interface AlertSpan extends Pick<AlertMark, "rule" | "severity" | "org" | "job_name"> {
  from: number;
  to: number;
}

/**
 * From the first mark of each alert to its end. One that ended without a beginning had begun before the span; one
 * without an end still fires.
 */
export function spansOf(
  marks: readonly AlertMark[],
  { from, to }: { from: number; to: number },
): AlertSpan[] {
  const spans: AlertSpan[] = [];
  const inOrder = [...marks].sort((a, b) => a.at - b.at);
  const alerts = Map.groupBy(inOrder, ({ rule, org, job_name }) => `${rule} ${org} ${job_name}`);
  for (const own of alerts.values()) {
    const { rule, severity, org, job_name } = own[0]!;
    // What ended without having begun here began before.
    let since: number | null = own[0]!.kind === "firing" ? null : from;
    for (const { at, kind } of own) {
      if (kind === "firing") since ??= Math.max(at, from);
      else if (since !== null) {
        spans.push({ rule, severity, org, job_name, from: since, to: at });
        since = null;
      }
    }
    if (since !== null) spans.push({ rule, severity, org, job_name, from: since, to });
  }
  return spans.sort((a, b) => a.from - b.from);
}
