/** Which limits hold for a job name: its own, else its organization's, else the rule's. Pure. */
import type { Rule } from "./rules.ts";
import type { LimitKey, Limits } from "./thresholds.ts";

export interface SetLimits {
  org: number;
  rule: string;
  /** Empty: all names of the organization. */
  jobName: string;
  enabled: boolean;
  limits: Limits;
}

export interface EffectiveLimits {
  enabled: boolean;
  limits: Limits;
  /** Where each comes from. */
  from: Readonly<Partial<Record<LimitKey, "default" | "organization" | "name">>>;
}

export type LimitTable = ReadonlyMap<string, SetLimits>;

export function limitTable(rows: readonly SetLimits[]): LimitTable {
  return new Map(rows.map((row) => [keyOf(row.org, row.rule, row.jobName), row]));
}

export function limitsFor(
  table: LimitTable,
  rule: Rule,
  org: number,
  jobName: string,
): EffectiveLimits {
  const ofOrg = table.get(keyOf(org, rule.name, ""));
  const ofName = jobName === "" ? undefined : table.get(keyOf(org, rule.name, jobName));
  const limits: Partial<Record<LimitKey, number>> = {};
  const from: Partial<Record<LimitKey, "default" | "organization" | "name">> = {};
  for (const key of Object.keys(rule.limits) as LimitKey[]) {
    const own = ofName?.limits[key];
    const theirs = ofOrg?.limits[key];
    limits[key] = own ?? theirs ?? rule.limits[key]!;
    from[key] = own !== undefined ? "name" : theirs !== undefined ? "organization" : "default";
  }
  return { enabled: (ofName ?? ofOrg)?.enabled ?? true, limits, from };
}

/** The longest window that any rule has for a name, milliseconds: so much of its past is read. */
export function longestWindow(
  table: LimitTable,
  rules: readonly Rule[],
  { org, name }: { org: number; name: string },
): number {
  const windows = rules.map((rule) => {
    const { enabled, limits } = limitsFor(table, rule, org, name);
    return enabled ? (limits.window_seconds ?? 0) * 1_000 : 0;
  });
  return Math.max(0, ...windows);
}

function keyOf(org: number, rule: string, jobName: string): string {
  return `${org} ${rule} ${jobName}`;
}
