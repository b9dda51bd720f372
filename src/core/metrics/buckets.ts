/**
 * Buckets of time: whole and aligned in UTC, so that an hour's is the sum of its minutes', wherever the
 * viewer lives and whatever its clocks do. Weeks begin on Monday (ISO 8601).
 */

export const GRANULARITIES = ["minute", "hour", "day", "week"] as const;
export type Granularity = (typeof GRANULARITIES)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

export const BUCKET_MS: Readonly<Record<Granularity, number>> = {
  minute: MINUTE,
  hour: HOUR,
  day: DAY,
  week: WEEK,
};

/** 1970-01-01 was a Thursday: the first Monday came four days after it. */
const FIRST_MONDAY = 4 * DAY;

/** The beginning of the bucket that holds `ms`; milliseconds since the epoch. */
export function bucketStart(granularity: Granularity, ms: number): number {
  const offset = granularity === "week" ? FIRST_MONDAY : 0;
  const width = BUCKET_MS[granularity];
  return Math.floor((ms - offset) / width) * width + offset;
}

/** Beginnings of all buckets that touch [from, to). */
export function bucketsBetween(granularity: Granularity, from: number, to: number): number[] {
  const starts: number[] = [];
  const width = BUCKET_MS[granularity];
  for (let at = bucketStart(granularity, from); at < to; at += width) starts.push(at);
  return starts;
}

/** How many buckets touch [from, to), without making them. */
export function countBuckets(granularity: Granularity, from: number, to: number): number {
  if (to <= from) return 0;
  return Math.ceil((to - bucketStart(granularity, from)) / BUCKET_MS[granularity]);
}

/** The next coarser one that a bucket is summed into, or null. */
export function coarser(granularity: Granularity): Granularity | null {
  return GRANULARITIES[GRANULARITIES.indexOf(granularity) + 1] ?? null;
}

/**
 * The finest whose points can be told apart in a chart's width: at most 400 minutes, then 15 days of hours. A month
 * of hours was read, with their histograms, in ten times the time of its days, and drawn as a cloud.
 */
export function granularityFor(from: number, to: number): Granularity {
  const span = to - from;
  if (span <= 400 * MINUTE) return "minute";
  if (span <= 15 * DAY) return "hour";
  return span <= 400 * DAY ? "day" : "week";
}

/** Rows that one question may read. */
export const ROWS_MAX = 5_000;

/**
 * The finest, from `finest` on, in which so many groups side by side are at most `ROWS_MAX` rows over a span; null
 * where they are more even by the week.
 */
export function granularityWithin(
  { granularity: finest, from, to }: { granularity: Granularity; from: number; to: number },
  groups: number,
): Granularity | null {
  const fits = (one: Granularity) => countBuckets(one, from, to) * groups <= ROWS_MAX;
  return GRANULARITIES.slice(GRANULARITIES.indexOf(finest)).find(fits) ?? null;
}
