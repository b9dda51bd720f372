/** Points of a series: what a bucket's rows add up to, with zero told apart from not known. */
import { BUCKET_MS, bucketsBetween, type Granularity } from "./buckets.ts";
import type { Metric } from "./catalogue.ts";
import { EMPTY, type Histogram, mergeHistograms, percentiles } from "./histogram.ts";

/** A stored row, without its group. */
export interface Cell {
  /** Milliseconds since the epoch. */
  bucket: number;
  count: number;
  sum: number;
  least: number | null;
  most: number | null;
  histogram: Histogram;
}

export interface Point extends Omit<Cell, "count" | "sum" | "histogram"> {
  /** Null where nothing is known of this bucket; 0 where nothing happened in it. */
  count: number | null;
  sum: number | null;
  avg: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** The bucket has not ended, or what happened in it was not all read yet. */
  isRunning: boolean;
}

/** Between which moments everything is known, milliseconds; `from` null: nothing is. */
export interface Coverage {
  from: number | null;
  /** What happened after it may be missing. */
  to: number;
  /** Beginnings of buckets, of the granularity asked for, that are still being computed. */
  waiting?: ReadonlySet<number>;
}

/** Several groups' cells of one bucket as one. Of gauges the means add up, see `addGauges`. */
export function addCells(cells: readonly Cell[]): Cell {
  const [first] = cells;
  if (cells.length === 1) return first!;
  let { count, sum, least, most } = { count: 0, sum: 0, least: null, most: null } as Cell;
  for (const cell of cells) {
    count += cell.count;
    sum += cell.sum;
    least = smaller(least, cell.least);
    most = greater(most, cell.most);
  }
  const histogram = mergeHistograms(cells.map((cell) => cell.histogram));
  return { bucket: first!.bucket, count, sum, least, most, histogram };
}

/**
 * Gauges of several groups that were looked at together: what was seen at one look adds up. Least
 * and most become bounds, since the groups' may have come at different looks.
 */
export function addGauges(cells: readonly Cell[]): Cell {
  const [first] = cells;
  if (cells.length === 1) return first!;
  const count = Math.max(...cells.map((cell) => cell.count));
  const total = (of: (cell: Cell) => number) => cells.reduce((sum, cell) => sum + of(cell), 0);
  return {
    bucket: first!.bucket,
    count,
    sum: total((cell) => (cell.count === 0 ? 0 : (cell.sum / cell.count) * count)),
    least: total((cell) => cell.least ?? 0),
    most: total((cell) => cell.most ?? 0),
    histogram: EMPTY,
  };
}

/**
 * A point for every bucket that touches [from, to); `cells` in any order, several of a bucket allowed.
 * `looks`: of a gauge, how often the whole instance was looked at in a bucket; a group without a row
 * was at 0 then. Without it, what has no row is not known.
 */
export function pointsOf(
  metric: Pick<Metric, "kind" | "binWidth">,
  cells: readonly Cell[],
  span: { granularity: Granularity; from: number; to: number },
  { from, to, waiting, looks }: Coverage & { looks?: ReadonlyMap<number, number> },
): Point[] {
  const byBucket = cellsByBucket(cells);
  const isGauge = metric.kind === "gauge";
  const width = BUCKET_MS[span.granularity];
  return bucketsBetween(span.granularity, span.from, span.to).map((bucket) => {
    const some = byBucket.get(bucket);
    const isRunning = bucket + width > to || waiting?.has(bucket) === true;
    const seen = isGauge ? (looks?.get(bucket) ?? 0) : 0;
    if (some) {
      const whole = isGauge ? addGauges(some.map((cell) => overLooks(cell, seen))) : addCells(some);
      return statistics(metric, whole, isRunning);
    }
    const isKnown = isGauge ? seen > 0 : from !== null && bucket + width > from && bucket < to;
    if (!isKnown) return { ...NOTHING, bucket, isRunning };
    const zero = isGauge ? { count: seen, least: 0, most: 0, avg: 0 } : { count: 0 };
    return { ...NOTHING, sum: 0, ...zero, bucket, isRunning };
  });
}

/** A page has thousands of cells: `Map.groupBy` takes twice as long. */
function cellsByBucket(cells: readonly Cell[]): Map<number, Cell[]> {
  const byBucket = new Map<number, Cell[]>();
  for (const cell of cells) {
    const some = byBucket.get(cell.bucket);
    if (some) some.push(cell);
    else byBucket.set(cell.bucket, [cell]);
  }
  return byBucket;
}

/** A group that was not there at some of the bucket's looks was at 0 then. */
function overLooks(cell: Cell, looks: number): Cell {
  return cell.count < looks ? { ...cell, count: looks, least: 0 } : cell;
}

const NOTHING = {
  ...{ count: null, sum: null, least: null, most: null, avg: null },
  ...{ p50: null, p95: null, p99: null },
};

const SHARES = [0.5, 0.95, 0.99];

function statistics(
  { kind, binWidth }: Pick<Metric, "kind" | "binWidth">,
  { bucket, count, sum, least, most, histogram }: Cell,
  isRunning: boolean,
): Point {
  if (kind === "counter") return { ...NOTHING, bucket, count, sum: count, isRunning };
  const avg = count === 0 ? null : sum / count;
  if (kind === "gauge") return { ...NOTHING, bucket, count, sum, least, most, avg, isRunning };
  const ends = { least, most, width: binWidth };
  const [p50 = null, p95 = null, p99 = null] = percentiles(histogram, SHARES, ends);
  return { bucket, count, sum, least, most, avg, p50, p95, p99, isRunning };
}

/** What a whole span adds up to; a span of which nothing is known counts nothing. */
export interface Total extends Omit<Point, "bucket" | "isRunning" | "count" | "sum"> {
  count: number;
  sum: number;
  histogram: Histogram;
}

/**
 * Cells of any groups and buckets as one, with percentiles out of their merged histograms. `looks` as in
 * `pointsOf`: looks at which a gauge's groups were at 0 are part of its mean.
 */
export function totalOf(
  metric: Pick<Metric, "kind" | "binWidth">,
  cells: readonly Cell[],
  looks: ReadonlyMap<number, number> = new Map(),
): Total {
  const byBucket = cellsByBucket(cells);
  const whole = (some: Cell[]) =>
    addGauges(some.map((cell) => overLooks(cell, looks.get(cell.bucket) ?? 0)));
  const seen = metric.kind === "gauge" ? [...byBucket.values()].map(whole) : cells;
  const quiet = [...looks].filter(([bucket]) => !byBucket.has(bucket));
  const zero = { sum: 0, least: 0, most: 0, histogram: EMPTY };
  const all = [...seen, ...quiet.map(([bucket, count]) => ({ ...zero, bucket, count }))];
  const total = all.length === 0 ? { ...NO_CELL, bucket: 0 } : addCells(all);
  const { bucket: _, isRunning: __, ...figures } = statistics(metric, total, false);
  const { count, sum, histogram } = total;
  return { ...figures, count, sum: metric.kind === "counter" ? count : sum, histogram };
}

const NO_CELL = { count: 0, sum: 0, least: null, most: null, histogram: EMPTY };

function smaller(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

function greater(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}
