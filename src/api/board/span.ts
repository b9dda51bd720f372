/** The span that the board's figures are asked for: hours that end now, or two moments. */
import { z } from "zod";
import { GRANULARITIES, granularityFor } from "../../core/metrics/buckets.ts";
import type { Coverage } from "../../core/metrics/series.ts";
import { boundedSpan } from "../../web/metrics/bounded_span.ts";
import type { MetricGroup } from "../../web/metrics/groups.ts";
import { aligned, type SeriesDeps, type Span } from "../../web/metrics/read_series.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { invalid } from "../query.ts";

const HOUR_MS = 3_600_000;
const HOURS_DEFAULT = 24;
/** 400 days. */
const HOURS_MAX = 9_600;

const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

export const spanParams = {
  window_hours: z.coerce
    .number()
    .int()
    .min(1)
    .max(HOURS_MAX)
    .optional()
    .describe(`Hours up to \`to\`; ${HOURS_DEFAULT} where neither it nor \`from\` is said`),
  from: moment.optional().describe("Instead of window_hours"),
  to: moment.optional().describe("Now, unless said"),
};

interface SpanWords {
  window_hours?: number | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

/** As fine as the board's pages show it. */
export function spanOf({ window_hours, from, to }: SpanWords, now: number) {
  const end = to ?? now;
  if (from !== undefined && window_hours !== undefined) {
    throw invalid([{ path: "from", in: "query", message: "cannot stand beside `window_hours`" }]);
  }
  const start = from ?? end - (window_hours ?? HOURS_DEFAULT) * HOUR_MS;
  if (start >= end) throw invalid([{ path: "from", in: "query", message: "must be before `to`" }]);
  if (end - start > HOURS_MAX * HOUR_MS) {
    throw invalid([{ path: "from", in: "query", message: "must be at most 400 days before `to`" }]);
  }
  return { granularity: granularityFor(start, end), from: start, to: end };
}

/** `spanOf`, more coarsely where the caller sees many organizations: see `granularity` of the answer. */
export function spanFor(
  { query, caller, deps }: { query: SpanWords; caller: Caller; deps: ApiDeps },
  group: MetricGroup,
) {
  const span = spanOf(query, deps.engine.now());
  return boundedSpan(sourceOf(deps), caller.scope, span, group);
}

export const coveredFields = {
  granularity: z.enum(GRANULARITIES),
  from: z.iso.datetime().describe("The first whole bucket that is counted begins here"),
  to: z.iso.datetime().describe("The last one ends here"),
  covered_from: z.iso.datetime().nullable().describe("Before it nothing is known"),
  covered_to: z.iso.datetime().describe("After it events may be missing"),
};

export function coveredView(span: Span, covered: Coverage) {
  const whole = aligned(span);
  return {
    granularity: span.granularity,
    ...{ from: iso(whole.from), to: iso(whole.to) },
    covered_from: covered.from === null ? null : iso(covered.from),
    covered_to: iso(covered.to),
  };
}

export function sourceOf({ database, directory, engine }: ApiDeps): SeriesDeps {
  return { reads: database.reads, directory, kept: engine.keeping.retention };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
