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

/** What a worker is told by. */
export type TrendKey = "pool" | "system";

interface Row {
  pool: string | null;
  system: string | null;
  at: number;
  seen: number;
}

/** By each, of one look. */
export async function readFleetTrends(
  reads: Sql,
  fleet: FleetFilter,
  asked: Span,
): Promise<Record<TrendKey, FleetTrend>> {
  const span = await fleetSpan(reads, fleet, 1, asked);
  const rows = reads<Row[]>`
    with own as materialized (
      select w.id, w.pool, (select c.facts->>'system' from worker_connection c
        where c.worker_id = w.id order by c.connected_at desc limit 1) as system
      from worker w where true ${andOfFleet(reads, reads`w.org_id`, fleet)})
    select own.pool, own.system, extract(epoch from r.bucket_start)::float8 * 1000 as at,
      sum(r.count)::float8 as seen
    from own join ${reads(`rollup_${span.granularity}`)} r on r.worker_id = own.id
    where r.metric_id = ${knownMetric("slots.offered").id} and r.org_id = 0 and r.queue_id = 0
      and r.name_id = 0 and r.bucket_start >= ${new Date(span.from)} and r.bucket_start < ${new Date(span.to)}
    group by 1, 2, 3`;
  const [seen, looks] = await Promise.all([rows, readLooks({ reads }, span)]);
  return { pool: trendOf(seen, "pool", span, looks), system: trendOf(seen, "system", span, looks) };
}

function trendOf(
  rows: readonly Row[],
  by: TrendKey,
  span: Span,
  looks: ReadonlyMap<number, number>,
): FleetTrend {
  const buckets = bucketsBetween(span.granularity, span.from, span.to);
  const size = (own: readonly Row[]) => own.reduce((sum, row) => sum + row.seen, 0);
  const groups = [...Map.groupBy(rows, (row) => row[by])].map(([key, own]) => {
    return { key, own, size: size(own) };
  });
  groups.sort((a, b) => b.size - a.size);
  const line = (key: string | null, own: readonly Row[], isRest: boolean): TrendLine => {
    const times = new Map<number, number>();
    for (const { at, seen } of own) times.set(at, (times.get(at) ?? 0) + seen);
    const values = buckets.map((bucket) => {
      const looked = looks.get(bucket) ?? 0;
      return looked === 0 ? null : (times.get(bucket) ?? 0) / looked;
    });
    return { key, isRest, values };
  };
  const rest = groups.slice(LINES_MAX).flatMap(({ own }) => own);
  const shown = groups.slice(0, LINES_MAX).map(({ key, own }) => line(key, own, false));
  return { span, lines: rest.length === 0 ? shown : [...shown, line(null, rest, true)] };
}
