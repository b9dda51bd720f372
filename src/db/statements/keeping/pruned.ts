/** How far retention has come, table by table. */
import { smallestId } from "../../../core/ids.ts";
import { plainArray } from "../../arrays.ts";
import type { Sql, Transaction } from "../../client.ts";
import { type Partition, type PartitionedTable, partitionEnd } from "../../partitions.ts";
import { readPruned } from "../rollups/floors.ts";

/** Waits for who computes from the rows right now; from then on nobody does until this has ended. */
export function lockPruned(tx: Transaction): Promise<Map<string, number>> {
  return readPruned(tx, " for update");
}

/** Never goes back. */
export async function raisePruned(
  tx: Transaction,
  table: PartitionedTable,
  before: number,
): Promise<void> {
  await tx.unsafe(
    `update pruned set before = greatest(before, to_timestamp($2::float8)) where table_name = $1`,
    [table, before / 1000],
    { prepare: true },
  );
}

const HELD = `
select t.name from unnest($1::text[], $2::uuid[], $3::uuid[]) as t(name, low, high)
where exists (select from live_job where id >= t.low and id < t.high)
  or exists (select from job_end where job_id >= t.low and job_id < t.high)`;

/**
 * Those of these days of jobs from which one still lives, or ended so lately that its end is kept. A
 * job that ended has its input as long as its end.
 */
export async function heldJobDays(sql: Sql, days: readonly Partition[]): Promise<Set<string>> {
  const edges = days.map(({ day }) => [idAt(day), idAt(partitionEnd("job", day))] as const);
  const params = [days.map(({ name }) => name), edges.map(([low]) => low), edges.map((e) => e[1])];
  const rows = await sql.unsafe(HELD, params.map(plainArray));
  return new Set(rows.map(({ name }) => name as string));
}

/** The first id of a moment, which may lie between two milliseconds. */
export function idAt(ms: number): string {
  return smallestId(Math.max(0, Math.ceil(ms)));
}
