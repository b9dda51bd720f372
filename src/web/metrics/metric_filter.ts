/** What the pages of charts are narrowed to, as it stands in their addresses. */
import {
  RANGE_DEFAULT,
  type RangeName,
  type TimeRange,
  timeRange,
} from "../../core/metrics/time_range.ts";
import { cleanText } from "../../core/storable.ts";
import type { MetricGroup } from "./groups.ts";

export interface MetricFilter {
  range: string;
  /** Of two moments instead of a range, as typed. */
  from: string;
  to: string;
  org: string;
  queue: string;
  name: string;
  /** Words of the page's own, such as the tab. */
  own: Readonly<Record<string, string>>;
}

const WORD_MAX = 128;
const KEYS = ["range", "from", "to", "org", "queue", "name"] as const;

/** `own`: what else the page reads from its address. `fallback`: its range where none is said. */
export function parseMetricFilter(
  params: URLSearchParams,
  own: readonly string[] = [],
  fallback: RangeName = RANGE_DEFAULT,
): MetricFilter {
  const word = (key: string) => cleanText((params.get(key) ?? "").trim().slice(0, WORD_MAX));
  const words = (keys: readonly string[]) =>
    Object.fromEntries(keys.map((key) => [key, word(key)]));
  const filter = { ...words(KEYS), own: words(own) } as unknown as MetricFilter;
  return filter.range === fallback ? { ...filter, range: "" } : filter;
}

/** The query of the same filter: equal texts ask for the same. */
export function metricQuery(
  { own, ...filter }: MetricFilter,
  more: Record<string, string> = {},
): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...own, ...filter, ...more })) {
    if (value !== "") params.set(key, value);
  }
  return params.toString();
}

export function groupOf({ org, queue, name }: MetricFilter): MetricGroup {
  return { org: org || undefined, queue: queue || undefined, name: name || undefined };
}

export function rangeOf(filter: MetricFilter, now: number, fallback?: RangeName): TimeRange {
  return timeRange(filter, now, fallback);
}
