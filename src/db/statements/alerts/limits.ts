/** Limits of rules, as organizations have set them. */
import type { Limits } from "../../../core/alerts/thresholds.ts";
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };
const AT = (n: number) => `to_timestamp($${n}::float8 / 1000)`;
export const LIMITS_MAX = 10_000;

export interface LimitRow {
  org: number;
  rule: string;
  /** Empty: all names of the organization. */
  jobName: string;
  enabled: boolean;
  limits: Limits;
}

const READ = `select org_id as org, rule, job_name as "jobName", enabled, limits from alert_limit`;

export async function readLimits(sql: Sql | Transaction): Promise<LimitRow[]> {
  const rows = await sql.unsafe(`${READ} order by 1, 2, 3 limit ${LIMITS_MAX}`, [], prepared);
  return rows as unknown as LimitRow[];
}

export async function lockLimit(
  tx: Transaction,
  key: Pick<LimitRow, "org" | "rule" | "jobName">,
): Promise<LimitRow | null> {
  const [row] = await tx.unsafe(
    `${READ} where org_id = $1 and rule = $2 and job_name = $3 for no key update`,
    [key.org, key.rule, key.jobName],
    prepared,
  );
  return (row as unknown as LimitRow | undefined) ?? null;
}

export async function writeLimit(
  tx: Transaction,
  { org, rule, jobName, enabled, limits }: LimitRow,
  { at, by }: { at: number; by: string },
): Promise<void> {
  await tx.unsafe(
    `insert into alert_limit (org_id, rule, job_name, enabled, limits, updated_at, updated_by)
     values ($1, $2, $3, $4, $5::text::jsonb, ${AT(6)}, $7)
     on conflict (org_id, rule, job_name) do update set enabled = excluded.enabled, limits = excluded.limits,
       updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
    [org, rule, jobName, enabled, JSON.stringify(limits), at, by],
    prepared,
  );
}

export async function removeLimit(
  tx: Transaction,
  { org, rule, jobName }: Pick<LimitRow, "org" | "rule" | "jobName">,
): Promise<void> {
  await tx.unsafe(
    `delete from alert_limit where org_id = $1 and rule = $2 and job_name = $3`,
    [org, rule, jobName],
    prepared,
  );
}

/** How many rules and names an organization has set limits for. */
export async function countLimits(tx: Transaction, org: number): Promise<number> {
  const rows = await tx.unsafe(
    `select 1 from alert_limit where org_id = $1 limit 1000`,
    [org],
    prepared,
  );
  return rows.length;
}
