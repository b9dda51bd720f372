/** When alerts of some job names fired and ended, for charts to mark. Reads only. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";

export interface AlertMark {
  /** Epoch milliseconds. */
  at: number;
  kind: "firing" | "resolved" | "lapsed";
  rule: string;
  severity: "critical" | "warning";
  org: string;
  job_name: string;
}

const MARKS_MAX = 200;

/** The newest of a span. `names`: ids; null: of all names. */
export async function readAlertMarks(
  sql: Sql,
  orgs: OrgFilter,
  { from, to, names = null }: { from: number; to: number; names?: readonly number[] | null },
): Promise<AlertMark[]> {
  const own = names === null ? sql`` : sql`and a.name_id = any(${names as number[]}::int[])`;
  return await sql<AlertMark[]>`
    select extract(epoch from a.at)::float8 * 1000 as at, a.kind, a.rule, a.severity,
      coalesce(o.name, 'system') as org, n.name as job_name
    from alert_event a join job_name n on n.id = a.name_id left join org o on o.id = a.org_id
    where a.at >= ${new Date(from)} and a.at < ${new Date(to)} ${own} ${andOfOrgs(sql, sql`a.org_id`, orgs)}
    order by a.at desc limit ${MARKS_MAX}`;
}
