/**
 * Below which moments nothing may be computed any more, because retention has removed what it would be
 * computed from (see the table `pruned`). A bucket that was marked dirty all the same is left as it is.
 */
import type { Granularity } from "../../../core/metrics/buckets.ts";
import type { Sql, Transaction } from "../../client.ts";
import type { PartitionedTable } from "../../partitions.ts";

/** What the buckets of each granularity are computed from, and written to: what is gone is not made again. */
const SOURCES: Record<Granularity, readonly PartitionedTable[]> = {
  minute: [
    "phase_event",
    "dispatched_job",
    "decision",
    "job_end",
    "worker_sample",
    "instance_sample",
    "rollup_minute",
  ],
  hour: ["rollup_minute", "rollup_hour"],
  day: ["rollup_hour"],
  week: [],
};

/**
 * An attempt is counted when it ends, with the decision that began it: this long before at most. One that
 * ran for longer loses the points of its rules where its minute is computed once more at the very end.
 */
export const DECIDED_BEFORE_MS = 86_400_000;

const READ = `
select table_name as name, extract(epoch from before)::float8 * 1000 as before from pruned
order by table_name`;

/** Of each table that is partitioned, the moment before which it holds nothing. */
export async function readPruned(
  sql: Sql | Transaction,
  lock: "" | " for share" | " for update" = "",
): Promise<Map<string, number>> {
  const rows = await sql.unsafe(READ + lock, [], { prepare: true });
  return new Map(rows.map(({ name, before }) => [name as string, before as number]));
}

/**
 * Buckets that begin before this moment are not to be computed. In a transaction, retention removes
 * nothing more until that has ended.
 */
export async function floorFor(of: Granularity, sql: Sql | Transaction, isHeld = false) {
  const pruned = await readPruned(sql, isHeld ? " for share" : "");
  const needed = (table: PartitionedTable) =>
    (pruned.get(table) ?? 0) + (table === "decision" ? DECIDED_BEFORE_MS : 0);
  return Math.max(0, ...SOURCES[of].map(needed));
}
