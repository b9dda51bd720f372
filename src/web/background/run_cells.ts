/** The rollups that background jobs are told by, of chosen names or of all that is asked about. */

import type { RunTotals } from "../../core/background/figures.ts";
import { countBuckets, granularityWithin, ROWS_MAX } from "../../core/metrics/buckets.ts";
import { knownMetric } from "../../core/metrics/catalogue.ts";
import { addCells, type Cell } from "../../core/metrics/series.ts";
import { countTiles, type Tile, tilesOf } from "../../core/metrics/tiles.ts";
import type { Sql } from "../../db/client.ts";
import type { StoredCoverage } from "../metrics/coverage.ts";
import type { GroupIds } from "../metrics/groups.ts";
import type { GroupedCell } from "../metrics/read_cells.ts";
import type { Span } from "../metrics/read_series.ts";
import { recallCells } from "../metrics/recall_cells.ts";

const METRICS = {
  succeeded: "jobs.succeeded",
  failed: "runs.failed",
  succeededMs: "jobs.duration_ms",
  failedMs: "runs.failed_ms",
  itemsSuccess: "items.success",
  itemsFailed: "items.failed",
  itemsSkipped: "items.skipped",
} as const;
export type RunMetric = keyof typeof METRICS;
const ALL = Object.keys(METRICS) as RunMetric[];
export type RunCells = Record<RunMetric, GroupedCell[]>;

/** Where cells come from, and how far they are known. */
export interface CellSource {
  reads: Sql;
  covered: StoredCoverage;
}

export interface NameId {
  org: number;
  id: number;
}

/** Names whose sums over a span may be asked for at once. */
export function namesWithin(span: Span): number {
  return Math.max(1, Math.floor(ROWS_MAX / Math.max(1, countTiles(tilesOf(span)))));
}

export function groupsOf(names: readonly NameId[]): GroupIds {
  const orgs = [...new Set(names.map((one) => one.org))];
  return { orgs, queues: null, names: names.map((one) => one.id), workers: null };
}

/** Their bins are most of what is read, and read only of what percentiles are made of. */
const TIMES: ReadonlySet<RunMetric> = new Set(["succeededMs", "failedMs"]);

/** Cells of every run metric over a span, a bucket each. */
export async function readRunCells(
  { reads, covered }: CellSource,
  ids: GroupIds,
  span: Span,
  metrics: readonly RunMetric[] = ALL,
): Promise<RunCells> {
  const buckets = countBuckets(span.granularity, span.from, span.to);
  const rowsEach = buckets * Math.max(1, ids.names?.length ?? ids.orgs?.length ?? 1);
  const together = [true, false].flatMap((histograms) =>
    inStatements(
      metrics.filter((one) => TIMES.has(one) === histograms),
      rowsEach,
    ).map((some) => ({ histograms, some })),
  );
  const read = await Promise.all(
    together.map(({ histograms, some }) =>
      recallCells(reads, { ...span, ids, histograms, metrics: some.map(idOf) }, covered),
    ),
  );
  const byMetric = Map.groupBy(read.flat(), (cell) => cell.metric);
  return Object.fromEntries(
    ALL.map((one) => [one, byMetric.get(idOf(one)) ?? []]),
  ) as unknown as RunCells;
}

function idOf(metric: RunMetric): number {
  return knownMetric(METRICS[metric]).id;
}

/** As few statements as keep each within `ROWS_MAX`: of the page's time, each is a millisecond. */
function inStatements(metrics: readonly RunMetric[], rowsEach: number): RunMetric[][] {
  const atOnce = Math.max(1, Math.floor(ROWS_MAX / Math.max(1, rowsEach)));
  const count = Math.ceil(metrics.length / atOnce);
  return Array.from({ length: count }, (_, at) => metrics.slice(at * atOnce, (at + 1) * atOnce));
}

/** The same as few rows as the span allows: for sums, not for charts. */
export async function readRunSums(
  source: CellSource,
  ids: GroupIds,
  span: Span,
): Promise<RunCells> {
  const parts = await Promise.all(
    tilesOf(span).map((tile: Tile) => readRunCells(source, ids, tile)),
  );
  return Object.fromEntries(
    ALL.map((one) => [one, parts.flatMap((part) => part[one])]),
  ) as unknown as RunCells;
}

/**
 * About how often each name ran, for choosing: of whole buckets so wide that all fit into few rows.
 */
export async function roughRuns(
  source: CellSource,
  names: readonly NameId[],
  span: Span,
): Promise<Map<number, number>> {
  const sums = new Map<number, number>();
  if (names.length === 0) return sums;
  const granularity = granularityWithin({ ...span, granularity: "hour" }, names.length) ?? "week";
  const read = { ...span, granularity };
  const cells = await readRunCells(source, groupsOf(names), read, ["succeeded", "failed"]);
  for (const { name, count } of [...cells.succeeded, ...cells.failed]) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}

export function totalsOf(cells: RunCells): RunTotals {
  const counted = (some: readonly Cell[]) => some.reduce((sum, cell) => sum + cell.count, 0);
  const summed = (some: readonly Cell[]) => some.reduce((sum, cell) => sum + cell.sum, 0);
  const runs = [...cells.succeededMs, ...cells.failedMs];
  const { histogram, least, most } = addCells(runs.length === 0 ? [NONE] : runs);
  return {
    succeeded: counted(cells.succeeded),
    failed: counted(cells.failed),
    durations: { histogram, least, most },
    items: {
      success: summed(cells.itemsSuccess),
      failed: summed(cells.itemsFailed),
      skipped: summed(cells.itemsSkipped),
    },
  };
}

const NONE: Cell = {
  ...{ bucket: 0, count: 0, sum: 0, least: null, most: null },
  histogram: { bins: [], hits: [] },
};

/** Those of each name, found in one pass over all. */
export function cellsByName(cells: RunCells): (id: number) => RunCells {
  const byName = ALL.map((one) => Map.groupBy(cells[one], (cell) => cell.name));
  return (id) =>
    Object.fromEntries(
      ALL.map((one, at) => [one, byName[at]!.get(id) ?? []]),
    ) as unknown as RunCells;
}
