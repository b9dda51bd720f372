/** What should have been removed and is still there: retention is behind, or something keeps it from it. */
import type { Retention } from "../../core/retention.ts";
import type { Sql } from "../../db/client.ts";
import { listPartitions, type PartitionedTable, partitionEnd } from "../../db/partitions.ts";
import { heldJobDays } from "../../db/statements/keeping/pruned.ts";
import { readUnread } from "../../db/statements/keeping/unread.ts";
import { expiredBefore, KEPT_TABLES, removableBefore } from "./kept.ts";

const DAY_MS = 86_400_000;
/** Rounds come every hour; one that somebody's long reading put off is nothing to tell yet. */
const GRACE_MS = 6 * 3_600_000;

export interface Overdue {
  table: PartitionedTable;
  /** By how many days the oldest has outlived its setting, rounded up. */
  days: number;
  /** It is kept because rollups have not read it. */
  isUnread: boolean;
}

/** By the database's clock. Days of jobs that live, or whose end is kept, are not overdue. */
export async function readOverdue(sql: Sql, kept: Retention): Promise<Overdue[]> {
  const [row] = await sql`select extract(epoch from now())::float8 * 1000 as now`;
  const now = (row!.now as number) - GRACE_MS;
  const partitions = await listPartitions(sql);
  const found: Overdue[] = [];
  for (const table of KEPT_TABLES) {
    const before = expiredBefore(table, kept, now);
    let old = partitions.filter((p) => p.table === table && partitionEnd(table, p.day) <= before);
    if (table === "job" && old.length > 0) {
      const held = await heldJobDays(sql, old);
      old = old.filter((p) => !held.has(p.name));
    }
    if (old.length === 0) continue;
    const oldest = Math.min(...old.map((p) => partitionEnd(table, p.day)));
    const unread = await readUnread(sql, before);
    const isUnread = removableBefore(table, before, unread) < before;
    found.push({ table, days: Math.ceil((before - oldest) / DAY_MS) + 1, isUnread });
  }
  return found;
}
