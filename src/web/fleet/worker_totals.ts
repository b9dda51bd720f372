/** What the gauges of each worker came to over a whole span: summed where the rows are. */
import { knownMetric } from "../../core/metrics/catalogue.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, type FleetFilter } from "../../db/org_filter.ts";
import type { Span } from "../metrics/read_series.ts";
import { fleetSpan } from "./fleet_span.ts";

export interface WorkerTotals {
  uid: string;
  name: string;
  /** By key of the catalogue; absent where nothing was told. */
  of: ReadonlyMap<string, GaugeTotal>;
}

export interface GaugeTotal {
  /** How often it was looked at. */
  count: number;
  sum: number;
  most: number;
}

interface Row {
  id: number;
  uid: string;
  name: string;
  metric: number;
  count: number;
  sum: number;
  most: number;
}

/** Workers that were there in the span, connected or gone; names may repeat. Of whole buckets: see `fleetSpan`. */
export async function readWorkerTotals(
  reads: Sql,
  fleet: FleetFilter,
  metrics: readonly string[],
  asked: Span,
): Promise<WorkerTotals[]> {
  const { granularity, from, to } = await fleetSpan(reads, fleet, metrics.length, asked);
  const keys = new Map(metrics.map((key) => [knownMetric(key).id, key]));
  const rows = await reads<Row[]>`
    select w.id, w.uid, w.name, r.metric_id as metric, sum(r.count)::float8 as count, sum(r.sum) as sum,
      max(r.max) as most
    from worker w join ${reads(`rollup_${granularity}`)} r on r.worker_id = w.id
    where r.metric_id = any(${[...keys.keys()]}::smallint[]) and r.org_id = 0 and r.queue_id = 0
      and r.name_id = 0 and r.bucket_start >= ${new Date(from)} and r.bucket_start < ${new Date(to)}
      ${andOfFleet(reads, reads`w.org_id`, fleet)}
    group by w.id, r.metric_id order by w.id`;
  return [...Map.groupBy(rows, (row) => row.id).values()].map((own) => ({
    uid: own[0]!.uid,
    name: own[0]!.name,
    of: new Map(
      own.map(({ metric, count, sum, most }) => [keys.get(metric)!, { count, sum, most }]),
    ),
  }));
}

/** Labels of a chart: names, with the end of the id where two are called the same. */
export function workerLabels(workers: readonly Pick<WorkerTotals, "uid" | "name">[]): string[] {
  const seen = Map.groupBy(workers, (worker) => worker.name);
  return workers.map(({ uid, name }) =>
    seen.get(name)!.length > 1 ? `${name} (${uid.slice(-8)})` : name,
  );
}
