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
/** Of many names, each has so many at least; rows that are looked at lie far apart, and 4,000 took 15 ms. */
const OF_ONE_MIN = 20;
const ROWS_MAX = 800;

/**
 * The newest of a span, and the beginnings before it of what fires still. Of each name for itself, so that one that
 * comes and goes takes no place of the others, and no more is looked at than is shown. `names`: ids.
 */
export async function readAlertMarks(
  sql: Sql,
  orgs: OrgFilter,
  { from, to, names }: { from: number; to: number; names: readonly number[] },
): Promise<{ marks: AlertMark[]; isWhole: boolean }> {
  if (names.length === 0) return { marks: [], isWhole: true };
  const each = Math.min(MARKS_MAX, Math.max(OF_ONE_MIN, Math.floor(ROWS_MAX / names.length)));
  const seen = andOfOrgs(sql, sql`org_id`, orgs);
  const rows = await sql<(AlertMark & { name_id: number; is_event: boolean })[]>`
    with asked as (select id, name from job_name where id = any(${names as number[]}::int[])),
    newest as (
      select e.*, asked.id, asked.name, true as is_event from asked cross join lateral (
        select at, kind, rule, severity, org_id from alert_event
        where name_id = asked.id and at >= ${new Date(from)} and at < ${new Date(to)} ${seen}
        order by at desc limit ${each}) e
      order by e.at desc limit ${MARKS_MAX}),
    marks as (
      select * from newest
      union all
      select a.fired_at, 'firing', a.rule, a.severity, a.org_id, asked.id, asked.name, false
      from alert a join asked on asked.id = a.name_id
      where a.state = 'firing' and a.fired_at < ${new Date(from)} ${seen})
    select (extract(epoch from m.at) * 1000)::float8 as at, m.kind, m.rule, m.severity,
      coalesce(o.name, 'system') as org, m.name as job_name, m.id as name_id, m.is_event
    from marks m left join org o on o.id = m.org_id
    order by m.at desc`;
  const events = Map.groupBy(
    rows.filter((row) => row.is_event),
    (row) => row.name_id,
  );
  const wasCut = rows.filter((row) => row.is_event).length >= MARKS_MAX;
  const isCut = (name: number) => wasCut || (events.get(name)?.length ?? 0) >= each;
  const marks = withoutLostBeginnings(rows, isCut).map(
    ({ name_id: _, is_event: __, ...mark }): AlertMark => mark,
  );
  return { marks, isWhole: !names.some(isCut) };
}

/**
 * An end whose beginning was cut off says nothing of when that was, and would be shaded from the span's own. Newest
 * first, as the marks are.
 */
function withoutLostBeginnings<M extends AlertMark & { name_id: number }>(
  marks: readonly M[],
  isCut: (name: number) => boolean,
): M[] {
  const begun = new Set<string>();
  const kept: M[] = [];
  for (const mark of marks.toReversed()) {
    const alert = `${mark.rule} ${mark.name_id}`;
    if (mark.kind === "firing") begun.add(alert);
    if (begun.has(alert) || !isCut(mark.name_id)) kept.push(mark);
  }
  return kept.reverse();
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
