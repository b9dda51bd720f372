/**
 * Series of metrics for whoever may see them: the one way from rollups to pages and API, so that both
 * tell the same numbers.
 */
import { BUCKET_MS, bucketStart, type Granularity } from "../../core/metrics/buckets.ts";
import {
  type Dimension,
  type Grouping,
  knownMetric,
  type Metric,
  SHARED_FLEET,
} from "../../core/metrics/catalogue.ts";
import {
  addCells,
  type Cell,
  type Coverage,
  type Point,
  pointsOf,
  type Total,
  totalOf,
} from "../../core/metrics/series.ts";
import { tilesOf } from "../../core/metrics/tiles.ts";
import type { Scope } from "../../core/scope.ts";
import { type AskedCoverage, coverageFor, type KeptDays, type StoredCoverage } from "./coverage.ts";
import {
  dimensionsOf,
  type GroupDeps,
  type GroupIds,
  groupIds,
  groupOrgs,
  keptGrouping,
  type MetricGroup,
  requireTold,
} from "./groups.ts";
import { type GroupedCell, readCells } from "./read_cells.ts";
import { recallCells } from "./recall_cells.ts";

export interface SeriesDeps extends GroupDeps {
  kept: KeptDays;
  asked?: AskedCoverage;
}

export interface SeriesAsk {
  /** Keys of the catalogue, of one grouping. */
  metrics: readonly string[];
  granularity: Granularity;
  /** Epoch milliseconds: [from, to). */
  from: number;
  to: number;
  group: MetricGroup;
  /** False where no percentile is shown: it is most of what is read. */
  histograms?: boolean;
}

export interface Series {
  points: Point[];
  covered: Coverage;
  /** Of all buckets that the span touches: what the points stand for, as one. */
  total(): Total;
}

/** Of what nothing writes yet, everything is known. */
const ALWAYS_ZERO: Coverage = { from: 0, to: Number.POSITIVE_INFINITY };
const EVERYTHING = { orgs: null, queues: null, names: null, workers: null };

/** One series a metric, in the order asked. Throws MetricRefused where it cannot be answered. */
export async function readSeries(
  deps: SeriesDeps,
  scope: Scope,
  ask: SeriesAsk,
): Promise<Series[]> {
  const { metrics, grouping, wanted, span, covered } = await prepared(deps, scope, ask);
  const cells = await readTogether(deps.reads, span, wanted, covered);
  const needsLooks =
    grouping !== "" && grouping !== "worker" && metrics.some((m) => m.kind === "gauge");
  const looks = needsLooks ? await readLooks(deps, span, covered) : undefined;
  return metrics.map((metric, at) => {
    let points: Point[] | undefined;
    return {
      covered,
      // Some want the total alone: percentiles of each bucket would be most of the time of a page of rules.
      get points() {
        const known = metric.source === null ? ALWAYS_ZERO : covered;
        points ??= pointsOf(metric, cells[at]!, span, { ...known, ...(looks ? { looks } : {}) });
        return points;
      },
      total: () => totalOf(metric, cells[at]!, metric.kind === "gauge" ? looks : undefined),
    };
  });
}

export interface Totals {
  /** In the order asked. */
  totals: Total[];
  covered: Coverage;
}

/**
 * What the span came to as a whole, from as few buckets as hold it: a week of hours is read as six days and some
 * hours. Not of gauges, whose looks would have to be known of each bucket. Throws MetricRefused.
 */
export async function readTotals(deps: SeriesDeps, scope: Scope, ask: SeriesAsk): Promise<Totals> {
  const { metrics, wanted, span, covered } = await prepared(deps, scope, ask);
  const tiles = tilesOf(span);
  const found = await Promise.all(
    tiles.map((tile) => readTogether(deps.reads, tile, wanted, covered)),
  );
  const totals = metrics.map((metric, at) => {
    if (metric.kind === "gauge") throw new Error(`${metric.key} is a gauge`);
    return totalOf(
      metric,
      found.flatMap((cells) => cells[at]!),
    );
  });
  return { totals, covered };
}

/** Whose cells are asked for, as far as the asker may. */
async function prepared(deps: SeriesDeps, scope: Scope, ask: SeriesAsk) {
  const metrics = ask.metrics.map(knownMetric);
  for (const metric of metrics) requireTold(metric, scope);
  const isMasked = groupOrgs(deps, scope, ask.group.org) !== "all";
  const grouping = keptGrouping(metrics[0]!, dimensionsOf(ask.group, undefined), isMasked);
  const ids = await groupIds(deps, scope, ask.group, grouping);
  const span = aligned(ask);
  const covered = await coverageFor(deps, ask.granularity, span);
  const owned = metrics.map((metric) => {
    const own = withShared(ids, metric, { grouping, scope, group: ask.group });
    return { metric, ids: own };
  });
  const wanted = { metrics: owned, histograms: ask.histograms !== false };
  return { metrics, grouping, wanted, span, covered };
}

/** A statement that reads more than this is no quicker than two. */
const TOGETHER_MAX = 2_500;

interface OwnIds {
  metric: Metric;
  ids: GroupIds;
}

/** The cells of each metric, in its order. Those of the same groups share statements: each has its own cost. */
async function readTogether(
  reads: SeriesDeps["reads"],
  span: Span,
  { metrics, histograms }: { metrics: readonly OwnIds[]; histograms: boolean },
  covered: StoredCoverage,
): Promise<GroupedCell[][]> {
  const kinds = Map.groupBy(metrics, ({ metric, ids }) => {
    const hasBins = histograms && metric.kind === "distribution";
    return `${hasBins} ${ids.orgs?.length ?? 0}`;
  });
  const batches = [...kinds.values()].flatMap((own) => {
    const each = Math.max(1, Math.floor(TOGETHER_MAX / rowsOf(own[0]!.ids, span)));
    return chunksOf(own, each);
  });
  const found = await Promise.all(
    batches.map((own) => {
      const hasBins = histograms && own[0]!.metric.kind === "distribution";
      const ask = { ...span, metrics: own.map(({ metric }) => metric.id), ids: own[0]!.ids };
      return recallCells(reads, { ...ask, histograms: hasBins }, covered);
    }),
  );
  const byMetric = Map.groupBy(found.flat(), (cell) => cell.metric);
  return metrics.map(({ metric }) => byMetric.get(metric.id) ?? []);
}

/** At most, of one metric. */
function rowsOf({ orgs, queues, names, workers }: GroupIds, { granularity, from, to }: Span) {
  const groups = [orgs, queues, names, workers].reduce((n, list) => n * (list?.length ?? 1), 1);
  return Math.max(1, groups * Math.ceil((to - from) / BUCKET_MS[granularity]));
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, at) => items.slice(at * size, (at + 1) * size));
}

/** Who sees some organizations sees, where none is named, the workers too that all of them share. */
function withShared(
  ids: GroupIds,
  { source }: Metric,
  { grouping, scope, group }: { grouping: Grouping; scope: Scope; group: MetricGroup },
): GroupIds {
  const isFleet = source === "worker_sample" && grouping === "org" && group.org === undefined;
  if (!isFleet || !scope.isSignedIn || ids.orgs === null) return ids;
  return { ...ids, orgs: [...ids.orgs, SHARED_FLEET] };
}

/** How often the instance was looked at: no count of anybody's. Of whole buckets. */
export async function readLooks(
  deps: Pick<SeriesDeps, "reads">,
  span: Span,
  covered?: StoredCoverage,
): Promise<Map<number, number>> {
  const metrics = [knownMetric("workers.connected").id];
  const ask = { ...span, metrics, ids: EVERYTHING, histograms: false };
  const cells = covered
    ? await recallCells(deps.reads, ask, covered)
    : await readCells(deps.reads, ask);
  return new Map(cells.map((cell) => [cell.bucket, cell.count]));
}

export interface SplitSeries {
  /** Id of the group's member: an organization, queue, name or worker; -1: the rest. */
  id: number;
  points: Point[];
  /** Of the whole span. */
  total: Cell;
}

export interface SplitAsk extends Omit<SeriesAsk, "metrics"> {
  metric: string;
  by: Dimension;
  /** Members with the greatest sums; the others are added up as the rest. */
  most: number;
}

/**
 * One metric split by a dimension, the greatest first. Strangers see aggregates of public organizations: what is in
 * these is added up as the rest for them.
 */
export async function readSplit(
  deps: SeriesDeps,
  scope: Scope,
  ask: SplitAsk,
): Promise<{ series: SplitSeries[]; covered: Coverage }> {
  const metric = knownMetric(ask.metric);
  requireTold(metric, scope);
  const grouping = keptGrouping(metric, dimensionsOf(ask.group, ask.by), false);
  const ids = await groupIds(deps, scope, ask.group, grouping);
  const span = aligned(ask);
  const covered = await coverageFor(deps, ask.granularity, span);
  const histograms = ask.histograms !== false && metric.kind === "distribution";
  const cells = await recallCells(
    deps.reads,
    { ...span, metrics: [metric.id], ids, histograms },
    covered,
  );
  const looks =
    metric.kind === "gauge" && ask.by !== "worker"
      ? await readLooks(deps, span, covered)
      : undefined;
  const groups = greatest(
    Map.groupBy(cells, (cell) => cell[ask.by]),
    scope.isSignedIn || ask.by === "org" ? ask.most : 0,
  );
  const series = groups.map(([id, own]) => ({
    id,
    points: pointsOf(metric, own, span, { ...covered, ...(looks ? { looks } : {}) }),
    total: sumOf(own),
  }));
  return { series, covered };
}

function greatest(
  groups: ReadonlyMap<number, GroupedCell[]>,
  most: number,
): [number, GroupedCell[]][] {
  const size = (cells: readonly GroupedCell[]) =>
    cells.reduce((total, cell) => total + (cell.sum || cell.count), 0);
  const named = [...groups].filter(([id]) => id !== REST);
  named.sort(([, a], [, b]) => size(b) - size(a));
  const rest = [...(groups.get(REST) ?? []), ...named.slice(most).flatMap(([, cells]) => cells)];
  const shown = named.slice(0, most);
  return rest.length > 0 ? [...shown, [REST, rest]] : shown;
}

const REST = -1;

function sumOf(cells: readonly Cell[]): Cell {
  return addCells(cells.map((cell) => ({ ...cell, bucket: 0 })));
}

export type Span = Pick<SeriesAsk, "granularity" | "from" | "to">;

/** Whole buckets: those that the span touches. */
export function aligned({ granularity, from, to }: Span): Span {
  const width = BUCKET_MS[granularity];
  const start = bucketStart(granularity, from);
  return { granularity, from: start, to: bucketStart(granularity, to - 1) + width };
}
