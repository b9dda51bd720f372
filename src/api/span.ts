/** `from` and `to` of a question about a time: the last day, unless said. */
import { z } from "zod";
import { type TimeRange, timeRange } from "../core/metrics/time_range.ts";
import { invalid } from "./query.ts";

const moment = z.iso.datetime({ offset: true }).optional();

export const spanQuery = {
  from: moment.describe("24 hours before `to`, unless said"),
  to: moment.describe("Now, unless said"),
};

const DAY_MS = 86_400_000;

/** By minute up to 400 minutes, by hour up to 15 days, by day up to 400: never more than 400 buckets or so. */
export function spanOf(asked: { from?: string | undefined; to?: string | undefined }, now: number) {
  const to = asked.to ?? new Date(now).toISOString();
  const from = asked.from ?? new Date(Date.parse(to) - DAY_MS).toISOString();
  const words = { range: "", from: utc(from), to: utc(to) };
  const range = timeRange(words, now);
  if (range.problem === null) return range;
  throw invalid([{ path: "from", in: "query", message: range.problem }]);
}

/** As the pages read it. */
function utc(text: string): string {
  return new Date(text).toISOString();
}

export const covered = {
  granularity: z.enum(["minute", "hour", "day", "week"]).describe("Width of a bucket"),
  covered_from: z.iso.datetime().nullable().describe("Before it nothing is known"),
  covered_to: z.iso.datetime().describe("After it figures may be missing"),
};

export function coveredView(
  { granularity }: Pick<TimeRange, "granularity">,
  { from, to }: { from: number | null; to: number },
) {
  return {
    granularity,
    covered_from: from === null ? null : iso(from),
    covered_to: iso(to),
  };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
