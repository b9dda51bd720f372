/** The span that a page of charts shows: one of a few that end now, or two moments. Pure. */
import { BUCKET_MS, type Granularity, granularityFor } from "./buckets.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const RANGES = {
  "15m": 15 * MINUTE,
  "1h": HOUR,
  "6h": 6 * HOUR,
  "24h": DAY,
  "7d": 7 * DAY,
  "30d": 30 * DAY,
  "90d": 90 * DAY,
} as const;
export type RangeName = keyof typeof RANGES;
export const RANGE_NAMES = Object.keys(RANGES) as RangeName[];
export const RANGE_DEFAULT: RangeName = "24h";

/** The longest that two moments may be apart. */
const CUSTOM_MAX = 400 * DAY;

/** What the address says, as it was typed. */
export interface RangeWords {
  range: string;
  from: string;
  to: string;
}

export interface TimeRange {
  /** Null: two moments of the reader's own. */
  name: RangeName | null;
  /** Epoch milliseconds: [from, to). */
  from: number;
  to: number;
  granularity: Granularity;
  /** What is wrong with the words, and how to mend it; the default range stands in. */
  problem: string | null;
}

/** `fallback`: where nothing is said. */
export function timeRange(
  words: RangeWords,
  now: number,
  fallback: RangeName = RANGE_DEFAULT,
): TimeRange {
  const { range, from, to } = words;
  if (from !== "" || to !== "") return custom(words, now, fallback);
  if (range === "" || range in RANGES) return ending((range || fallback) as RangeName, now);
  const problem = `There is no range ${range}: take one of ${RANGE_NAMES.join(", ")}.`;
  return { ...ending(fallback, now), problem };
}

function ending(name: RangeName, now: number): TimeRange {
  const from = now - RANGES[name];
  return { name, from, to: now, granularity: granularityFor(from, now), problem: null };
}

function custom({ from, to }: RangeWords, now: number, fallback: RangeName): TimeRange {
  const start = momentOf(from);
  const end = to === "" ? now : momentOf(to);
  const problem =
    start === null || end === null
      ? `${start === null ? from || "Nothing" : to} is no moment: write 2026-11-22T10:00, in UTC, or with a zone.`
      : start >= end
        ? "The beginning must be before the end."
        : end - start > CUSTOM_MAX
          ? "At most 400 days are shown at once."
          : null;
  if (problem !== null) return { ...ending(fallback, now), problem };
  const granularity = granularityFor(start!, end!);
  return { name: null, from: start!, to: end!, granularity, problem: null };
}

/** Without a zone it is UTC, as everything that the server prints. */
function momentOf(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)) return null;
  const ms = Date.parse(
    /T.*(Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes("T") ? text : `${text}Z`,
  );
  return Number.isNaN(ms) ? null : ms;
}

/** "per minute": what a bar or a point of this span stands for. */
export function perBucket({ granularity }: Pick<TimeRange, "granularity">): string {
  return `per ${granularity}`;
}

export function bucketWidth({ granularity }: Pick<TimeRange, "granularity">): number {
  return BUCKET_MS[granularity];
}
