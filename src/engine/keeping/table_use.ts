/** What each table takes, its partitions summed, and what it would take once its setting is filled. Pure. */
import { dayOf } from "../../core/ids.ts";
import type { Retention } from "../../core/retention.ts";
import { type Partition, type PartitionedTable, partitionEnd } from "../../db/partitions.ts";
import type { RelationSize } from "../../db/statements/keeping/sizes.ts";
import { KEPT } from "./kept.ts";

const DAY_MS = 86_400_000;
/** Whole days whose mean is what a day takes. */
const RATE_DAYS = 7;

export interface TableUse {
  table: string;
  partitions: number;
  heap_bytes: number;
  toast_bytes: number;
  index_bytes: number;
  total_bytes: number;
  /** An estimate. */
  rows: number;
  /** Days (UTC) that have rows; null where the table is not partitioned, or empty. */
  oldest_day: string | null;
  newest_day: string | null;
  /** What the setting says; null: its rows go with others, or stay. */
  kept_days: number | null;
  /** What a day takes at present; null where that cannot be told. */
  bytes_a_day: number | null;
  /** `kept_days` days of them. */
  expected_bytes: number | null;
}

type Part = Partition & RelationSize;

export function tableUses(
  sizes: readonly RelationSize[],
  partitions: readonly Partition[],
  kept: Retention,
  now: number,
): TableUse[] {
  const known = new Map(partitions.map((one) => [one.name, one]));
  const tables = new Map<string, RelationSize[]>(
    Object.keys(KEPT).map((table) => [table, [] as RelationSize[]]),
  );
  for (const size of sizes) {
    const table = known.get(size.name)?.table ?? size.name;
    tables.set(table, [...(tables.get(table) ?? []), size]);
  }
  const uses = [...tables].map(([table, parts]) => {
    const days = parts.flatMap((part) => {
      const partition = known.get(part.name);
      return partition ? [{ ...partition, ...part }] : [];
    });
    return useOf(table, parts, days, kept, now);
  });
  return uses.sort((a, b) => b.total_bytes - a.total_bytes || (a.table < b.table ? -1 : 1));
}

function useOf(
  table: string,
  parts: readonly RelationSize[],
  days: readonly Part[],
  kept: Retention,
  now: number,
): TableUse {
  const sum = (of: (part: RelationSize) => number) => parts.reduce((n, part) => n + of(part), 0);
  const filled = days.filter(({ heap }) => heap > 0).sort((a, b) => a.day - b.day);
  const setting = KEPT[table as PartitionedTable] as keyof Retention | undefined;
  const keptDays = setting === undefined ? null : kept[setting];
  const rate = filled.length === 0 ? null : dailyRate(filled, now);
  return {
    table,
    partitions: days.length,
    heap_bytes: sum((part) => part.heap),
    toast_bytes: sum((part) => part.toast),
    index_bytes: sum((part) => part.indexes),
    total_bytes: sum((part) => part.total),
    rows: Math.round(sum((part) => part.rows)),
    oldest_day: filled.length === 0 ? null : dayOf(filled[0]!.day),
    newest_day: filled.length === 0 ? null : dayOf(filled.at(-1)!.day),
    kept_days: keptDays,
    bytes_a_day: rate === null ? null : Math.round(rate),
    expected_bytes: rate === null || keptDays === null ? null : Math.round(rate * keptDays),
  };
}

/** The mean of the last whole days; of the first day of all, what has passed of it. */
function dailyRate(filled: readonly Part[], now: number): number | null {
  const end = (part: Part) => partitionEnd(part.table, part.day);
  const past = filled.filter((part) => end(part) <= now && end(part) > now - RATE_DAYS * DAY_MS);
  if (past.length > 0) return meanOf(past, (part) => end(part) - part.day);
  const current = filled.filter((part) => part.day <= now && now < end(part));
  return meanOf(current, (part) => now - part.day);
}

function meanOf(parts: readonly Part[], span: (part: Part) => number): number | null {
  const ms = parts.reduce((sum, part) => sum + span(part), 0);
  const bytes = parts.reduce((sum, part) => sum + part.total, 0);
  return ms <= 0 ? null : (bytes * DAY_MS) / ms;
}
