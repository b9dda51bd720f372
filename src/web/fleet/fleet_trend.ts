/**
 * Connected workers over time by their pool or system, from how often each was seen at the looks of a
 * bucket. A worker stands under what it says now, or said when it was last connected.
 */

import { bucketsBetween } from "../../core/metrics/buckets.ts";
import { knownMetric } from "../../core/metrics/catalogue.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, type FleetFilter } from "../../db/org_filter.ts";
import { readLooks, type Span } from "../metrics/read_series.ts";
import { fleetSpan } from "./fleet_span.ts";

export interface FleetTrend {
  /** Whole buckets, coarser than asked where the fleet is large. */
  span: Span;
  lines: TrendLine[];
}

export interface TrendLine {
  /** Null: did not tell, or `isRest`. */
  key: string | null;
  isRest: boolean;
  /** Workers that were connected on average; null where nobody looked. */
  values: (number | null)[];
}

/** Lines of one chart: those of the most workers, and the others as one. */
const LINES_MAX = 6;

interface Row {
  key: string | null;
  at: number;
  seen: number;
}

export async function readFleetTrend(
  reads: Sql,
  fleet: FleetFilter,
  by: "pool" | "system",
  asked: Span,
): Promise<FleetTrend> {
  const span = await fleetSpan(reads, fleet, 1, asked);
  const system = reads`(select c.facts->>'system' from worker_connection c
    where c.worker_id = w.id order by c.connected_at desc limit 1)`;
  const rows = await reads<Row[]>`
    with own as materialized (
      select w.id, ${by === "pool" ? reads`w.pool` : system} as key from worker w
      where true ${andOfFleet(reads, reads`w.org_id`, fleet)})
    select own.key, extract(epoch from r.bucket_start)::float8 * 1000 as at, sum(r.count)::float8 as seen
    from own join ${reads(`rollup_${span.granularity}`)} r on r.worker_id = own.id
    where r.metric_id = ${knownMetric("slots.offered").id} and r.org_id = 0 and r.queue_id = 0
      and r.name_id = 0 and r.bucket_start >= ${new Date(span.from)} and r.bucket_start < ${new Date(span.to)}
    group by 1, 2`;
  const looks = await readLooks({ reads }, span);
  const buckets = bucketsBetween(span.granularity, span.from, span.to);
  const groups = [...Map.groupBy(rows, (row) => row.key)];
  const size = (own: readonly Row[]) => own.reduce((sum, row) => sum + row.seen, 0);
  groups.sort(([, a], [, b]) => size(b) - size(a));
  const line = (key: string | null, own: readonly Row[], isRest: boolean): TrendLine => ({
    ...{ key, isRest },
    values: buckets.map((bucket) => {
      const times = looks.get(bucket) ?? 0;
      return times === 0 ? null : size(own.filter((row) => row.at === bucket)) / times;
    }),
  });
  const rest = groups.slice(LINES_MAX).flatMap(([, own]) => own);
  const shown = groups.slice(0, LINES_MAX).map(([key, own]) => line(key, own, false));
  return { span, lines: rest.length === 0 ? shown : [...shown, line(null, rest, true)] };
}
