/**
 * What was usual on the whole instance lately: over the last five minutes, the last hour and the last
 * day, out of rollups of minutes and hours. Pure. The windows end together, with the last whole minute
 * that rollups hold; the running minute is in none of them.
 */
import { digits } from "../history.ts";
import { BUCKET_MS, bucketStart } from "./buckets.ts";
import { knownMetric } from "./catalogue.ts";

const { minute: MINUTE, hour: HOUR, day: DAY } = BUCKET_MS;

export const WINDOW_MS = { w5m: 5 * MINUTE, w1h: HOUR, w24h: DAY } as const;
export type WindowName = keyof typeof WINDOW_MS;
export const WINDOW_NAMES = Object.keys(WINDOW_MS) as WindowName[];

/** Null: no sample in that window, or too old to say anything about now. */
export type Windowed = Record<WindowName, number | null>;

/** Figures that are means, by the metric that they are the mean of, and what it is divided by. */
const MEANS = {
  waitSeconds: ["dispatch.wait_ms", 1_000],
  startLatencyMs: ["start.latency_ms", 1],
  runMs: ["jobs.duration_ms", 1],
  ramMb: ["usage.peak_ram_mb", 1],
  cpuMs: ["usage.cpu_ms", 1],
  diskBytes: ["usage.disk_bytes", 1],
  networkMbps: ["usage.network_mbps", 1],
} as const;
type Mean = keyof typeof MEANS;
const MEAN_NAMES = Object.keys(MEANS) as Mean[];

export interface InstanceWindows extends Record<Mean, Windowed> {
  /** Jobs that ended well or failed for good: 0 where there were none. */
  completed: Windowed;
  /** Of these, the share that failed, 0 to 1. */
  failureShare: Windowed;
}

const SUCCEEDED = knownMetric("jobs.succeeded").id;
const FAILED = knownMetric("jobs.failed").id;

/** Every metric that the windows are made of. */
export const WINDOW_METRICS: readonly number[] = [
  ...MEAN_NAMES.map((name) => knownMetric(MEANS[name][0]).id),
  ...[SUCCEEDED, FAILED],
];

/** A rollup of the whole instance. */
export interface WindowCell {
  metric: number;
  granularity: "minute" | "hour";
  /** Its beginning, epoch milliseconds. */
  bucket: number;
  count: number;
  sum: number;
}

export interface Span {
  from: number;
  to: number;
}

/**
 * What has to be read for windows that end at `end`, a whole minute: minutes of the last hour, and for
 * the day whole hours with the minutes before the first of them. At most 24 hours and 119 minutes.
 */
export function windowSpans(end: number): { head: Span; recent: Span; hours: Span } {
  const first = bucketStart("hour", end - DAY + HOUR - 1);
  return {
    head: { from: end - DAY, to: first },
    recent: { from: end - HOUR, to: end },
    hours: { from: first, to: bucketStart("hour", end) },
  };
}

interface Total {
  count: number;
  sum: number;
}

/**
 * @param end the whole minute up to which rollups are known; null where nothing is
 * @param now a window that ended longer ago than it is long says nothing any more
 */
export function windowsOf(
  cells: Iterable<WindowCell>,
  end: number | null,
  now: number,
): InstanceWindows {
  if (end === null) return NO_WINDOWS;
  const totals = totalsOf(cells, end);
  const isKnown = (window: WindowName) => now - end <= WINDOW_MS[window];
  const windowed = (of: (total: (metric: number) => Total) => number | null) =>
    eachWindow((window) =>
      isKnown(window) ? of((metric) => totals.get(metric)?.[window] ?? NOTHING) : null,
    );
  const mean = (name: Mean) => {
    const [key, unit] = MEANS[name];
    const { id } = knownMetric(key);
    return windowed((total) => {
      const { count, sum } = total(id);
      return count === 0 ? null : digits(sum / count / unit, FIGURE_DIGITS);
    });
  };
  const completed = (total: (metric: number) => Total) =>
    total(SUCCEEDED).count + total(FAILED).count;
  return {
    ...(Object.fromEntries(MEAN_NAMES.map((name) => [name, mean(name)])) as Record<Mean, Windowed>),
    completed: windowed(completed),
    failureShare: windowed((total) => {
      const all = completed(total);
      return all === 0 ? null : digits(total(FAILED).count / all, FIGURE_DIGITS);
    }),
  };
}

/** Contexts freeze these figures: nobody reads more digits, and rules go by what is frozen. */
const FIGURE_DIGITS = 3;
const NOTHING: Total = { count: 0, sum: 0 };

function totalsOf(
  cells: Iterable<WindowCell>,
  end: number,
): Map<number, Record<WindowName, Total>> {
  const { hours } = windowSpans(end);
  const totals = new Map<number, Record<WindowName, Total>>();
  for (const cell of cells) {
    const { metric, granularity, bucket } = cell;
    let own = totals.get(metric);
    if (!own) {
      own = eachWindow(() => ({ ...NOTHING }));
      totals.set(metric, own);
    }
    for (const window of WINDOW_NAMES) {
      if (bucket < end - WINDOW_MS[window] || bucket >= end) continue;
      // The day is made of whole hours, and of minutes where there is none.
      const inHours = window === "w24h" && bucket >= hours.from && bucket < hours.to;
      if (inHours !== (granularity === "hour")) continue;
      own[window].count += cell.count;
      own[window].sum += cell.sum;
    }
  }
  return totals;
}

function eachWindow<T>(of: (window: WindowName) => T): Record<WindowName, T> {
  return { w5m: of("w5m"), w1h: of("w1h"), w24h: of("w24h") };
}

const UNKNOWN: Windowed = eachWindow(() => null);

/** Before anything is known. */
export const NO_WINDOWS: InstanceWindows = {
  ...(Object.fromEntries(MEAN_NAMES.map((name) => [name, UNKNOWN])) as Record<Mean, Windowed>),
  ...{ completed: UNKNOWN, failureShare: UNKNOWN },
};
