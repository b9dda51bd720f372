/** How finely figures of single workers are read: as asked, or more coarsely where the fleet is large. */
import type { Sql } from "../../db/client.ts";
import { andOfFleet, type FleetFilter } from "../../db/org_filter.ts";
import { spanWithin } from "../metrics/bounded_span.ts";
import { aligned, type Span } from "../metrics/read_series.ts";

/**
 * Whole buckets, in which `metrics` figures of each worker are at most `ROWS_MAX` rows. A fleet that is too
 * large for that even by the week is read by the week.
 */
export async function fleetSpan(
  reads: Sql,
  fleet: FleetFilter,
  metrics: number,
  asked: Span,
): Promise<Span> {
  const [row] = await reads<{ workers: number }[]>`
    select count(*)::int as workers from worker w where true ${andOfFleet(reads, reads`w.org_id`, fleet)}`;
  const rows = Math.max(1, row!.workers) * metrics;
  return aligned(spanWithin(asked, rows) ?? { ...asked, granularity: "week" });
}
