/**
 * Counts of jobs by state, without counting jobs: folded counters plus the deltas that wait to be
 * folded, in one statement and so in one snapshot (engine rule 11).
 */
import type { JobState } from "../core/job_state.ts";
import type { OrgFilter } from "../core/scope.ts";
import type { Sql, Transaction } from "./client.ts";
import { andOfOrgs } from "./org_filter.ts";

type Counts = Partial<Record<JobState, number>>;
const NIL = "00000000-0000-0000-0000-000000000000";

/** By queue id: jobs that have not ended. */
export async function countByQueue(
  sql: Sql | Transaction,
  orgs: OrgFilter,
): Promise<Map<number, Counts>> {
  const scope = andOfOrgs(sql, sql`org_id`, orgs);
  const rows = await sql`
    select queue_id as key, state, sum(n)::bigint as n from (
      select queue_id, state, n from counter
      where queue_id <> 0 and name_id = 0 and workflow_id = ${NIL} ${scope}
      union all
      select queue_id, state, n from counter_delta
      where queue_id <> 0 and name_id = 0 and workflow_id = ${NIL} ${scope}
    ) c group by queue_id, state`;
  return group(rows as unknown as Row<number>[]);
}

/** By workflow id, final states included. All of one organization. */
export async function countByWorkflow(
  sql: Sql | Transaction,
  org: number,
  ids: readonly string[],
): Promise<Map<string, Counts>> {
  if (ids.length === 0) return new Map();
  const list = ids as string[];
  const rows = await sql`
    select workflow_id as key, state, sum(n)::bigint as n from (
      select workflow_id, state, n from counter
      where org_id = ${org} and queue_id = 0 and name_id = 0 and workflow_id = any(${list}::uuid[])
      union all
      select workflow_id, state, n from counter_delta
      where org_id = ${org} and workflow_id = any(${list}::uuid[]) and workflow_id <> ${NIL}
    ) c group by workflow_id, state`;
  return group(rows as unknown as Row<string>[]);
}

interface Row<K> {
  key: K;
  state: JobState;
  n: number;
}

function group<K>(rows: readonly Row<K>[]): Map<K, Counts> {
  const byKey = new Map<K, Counts>();
  for (const { key, state, n } of rows) {
    const counts = byKey.get(key) ?? {};
    counts[state] = Number(n);
    byKey.set(key, counts);
  }
  return byKey;
}

/** Jobs that wait, for whatever. */
export function pendingOf(counts: Counts | undefined): number {
  return positive((counts?.created ?? 0) + (counts?.queued ?? 0) + (counts?.ready ?? 0));
}

/** Jobs that a worker holds. */
export function runningOf(counts: Counts | undefined): number {
  return positive((counts?.dispatched ?? 0) + (counts?.running ?? 0));
}

/** A count is never below nothing, whatever a drift that the nightly check has yet to mend says. */
function positive(n: number): number {
  return Math.max(0, n);
}
