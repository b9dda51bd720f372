/** The rules as they hold for an organization or one of its job names. Reads only. */
import { limitsFor, limitTable } from "../../core/alerts/effective.ts";
import { ALERT_RULES, firesWhen, type Rule } from "../../core/alerts/rules.ts";
import { LIMITS, type LimitKey } from "../../core/alerts/thresholds.ts";
import type { Sql } from "../../db/client.ts";

export interface RuleView {
  rule: string;
  severity: "critical" | "warning";
  enabled: boolean;
  for_seconds: number;
  words: string;
  limits: {
    key: string;
    value: number;
    default: number;
    unit: string;
    from: "default" | "organization" | "name";
    help: string;
  }[];
  /** Job names that have limits of their own. */
  overridden: string[];
}

const SHOWN_MAX = 100;

/** `jobName` empty: of all names of the organization. `org` null: as they come. */
export async function readRules(
  sql: Sql,
  org: number | null,
  jobName: string,
): Promise<RuleView[]> {
  const rows = await sql<
    {
      rule: string;
      job_name: string;
      enabled: boolean;
      limits: Partial<Record<LimitKey, number>>;
    }[]
  >`select rule, job_name, enabled, limits from alert_limit where org_id = ${org} order by rule, job_name limit 1000`;
  const set = rows.map(({ job_name, ...row }) => ({ ...row, org: org ?? 0, jobName: job_name }));
  const table = limitTable(set);
  return ALERT_RULES.map((rule) => {
    const own = set.filter((row) => row.rule === rule.name && row.jobName !== "");
    const overridden = own.map((row) => row.jobName).slice(0, SHOWN_MAX);
    return { ...viewOf(rule, limitsFor(table, rule, org ?? 0, jobName)), overridden };
  });
}

function viewOf(rule: Rule, { enabled, limits, from }: ReturnType<typeof limitsFor>) {
  return {
    ...{ rule: rule.name, severity: rule.severity, enabled, for_seconds: rule.forMs / 1_000 },
    words: firesWhen(rule, limits),
    limits: (Object.keys(rule.limits) as LimitKey[]).map((key) => ({
      ...{ key, value: limits[key]!, default: rule.limits[key]!, unit: LIMITS[key].unit },
      ...{ from: from[key]!, help: LIMITS[key].help },
    })),
  };
}
