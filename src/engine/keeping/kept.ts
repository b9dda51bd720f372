/** Which setting says how long the rows of a table are kept, and what follows from it. Pure. */
import { expiryOf, type Retention } from "../../core/retention.ts";
import {
  type Partition,
  type PartitionedTable,
  partitionEnd,
  partitionStart,
} from "../../db/partitions.ts";
import { idAt } from "../../db/statements/keeping/pruned.ts";
import type { Unread } from "../../db/statements/keeping/unread.ts";
import { DECIDED_BEFORE_MS } from "../../db/statements/rollups/floors.ts";

/** In the order in which they are removed: a job stays as long as its end. */
export const KEPT: Record<PartitionedTable, keyof Retention> = {
  phase_event: "rawDays",
  worker_sample: "rawDays",
  instance_sample: "rawDays",
  rollup_minute: "rawDays",
  rollup_hour: "rollupDays",
  dispatched_job: "dispatchDays",
  decision: "dispatchDays",
  job_end: "jobsDays",
  job: "jobsDays",
};
export const KEPT_TABLES = Object.keys(KEPT) as PartitionedTable[];

/** What is read so much later than it was written: a decision, with the attempt that it began. */
const READ_LATER_MS: Partial<Record<PartitionedTable, number>> = { decision: DECIDED_BEFORE_MS };

/**
 * What rollups still have to read of a table; nothing is asked of jobs: they stay as long as their ends,
 * and with them what says that an attempt was an evaluation.
 */
const READ_BY: Partial<Record<PartitionedTable, keyof Unread>> = {
  phase_event: "raw",
  worker_sample: "raw",
  instance_sample: "raw",
  dispatched_job: "raw",
  decision: "raw",
  job_end: "raw",
  rollup_minute: "minutes",
  rollup_hour: "hours",
};

/** Partitions that end by then have expired: the beginning of the first one that is kept. */
export function expiredBefore(table: PartitionedTable, kept: Retention, now: number): number {
  return partitionStart(table, expiryOf(kept[KEPT[table]], now) - laterMs(table));
}

/** The same, but for what rollups have not read yet. */
export function removableBefore(table: PartitionedTable, expired: number, unread: Unread): number {
  const reader = READ_BY[table];
  if (reader === undefined) return expired;
  const first = Math.max(0, unread[reader] - laterMs(table));
  return Math.min(expired, partitionStart(table, first));
}

function laterMs(table: PartitionedTable): number {
  return READ_LATER_MS[table] ?? 0;
}

/** Ranges of ids, from and up to, of the days whose partition is gone, the oldest first. */
export function goneDays(days: readonly Partition[]): [low: string, high: string][] {
  const there = days.filter(({ table, attached }) => table === "job" && attached);
  const gone: [string, string][] = [];
  let from = 0;
  for (const { day } of there.sort((a, b) => a.day - b.day)) {
    if (day > from) gone.push([idAt(from), idAt(day)]);
    from = partitionEnd("job", day);
  }
  return gone;
}
