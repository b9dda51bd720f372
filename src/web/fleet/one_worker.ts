/** One worker, connected or gone: who it is, what it did over a span, and when it was connected. */
import type { Scope } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, type FleetFilter } from "../../db/org_filter.ts";
import { readSeries, type Series, type SeriesDeps, type Span } from "../metrics/read_series.ts";

export interface KnownWorker {
  id: number;
  uid: string;
  name: string;
  /** Null: shared by all organizations. */
  org: string | null;
  pool: string;
  /** Of its latest connection. */
  system: string | null;
  ramTotalMb: number | null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Null where there is none of that id in the fleet that is asked for. */
export async function findWorker(
  reads: Sql,
  fleet: FleetFilter,
  uid: string,
): Promise<KnownWorker | null> {
  if (!UUID.test(uid)) return null;
  const [row] = await reads<KnownWorker[]>`
    select w.id, w.uid, w.name, o.name as org, w.pool, c.facts->>'system' as system,
      (c.metrics->>'ram_total_mb')::float8 as "ramTotalMb"
    from worker w left join org o on o.id = w.org_id
    left join lateral (
      select facts, metrics from worker_connection c where c.worker_id = w.id
      order by c.connected_at desc limit 1) c on true
    where w.uid = ${uid} ${andOfFleet(reads, reads`w.org_id`, fleet)}`;
  return row ?? null;
}

export const WORKER_METRICS = {
  cpu: "worker.cpu_pct",
  ramFree: "worker.ram_free_mb",
  disk: "worker.disk_mbps",
  network: "worker.network_mbps",
  used: "slots.used",
  offered: "slots.offered",
  dispatched: "jobs.dispatched",
} as const;
export type WorkerSeries = Record<keyof typeof WORKER_METRICS, Series>;

/** Buckets in which it was not connected have no figures. */
export async function readWorkerSeries(
  source: SeriesDeps,
  scope: Scope,
  span: Span,
  worker: string,
): Promise<WorkerSeries> {
  const names = Object.keys(WORKER_METRICS) as (keyof typeof WORKER_METRICS)[];
  const metrics = names.map((name) => WORKER_METRICS[name]);
  const series = await readSeries(source, scope, { ...span, metrics, group: { worker } });
  return Object.fromEntries(names.map((name, at) => [name, series[at]!])) as WorkerSeries;
}

export interface Connection {
  /** Where a list goes on. */
  id: number;
  /** Epoch milliseconds. */
  connectedAt: number;
  /** Null: it is connected. */
  disconnectedAt: number | null;
  durationMs: number;
  slots: number;
  /** Null while it is not over. */
  reason: string | null;
}

/** Newest first, those before the connection `before`. `now`: the end of what is not over. */
export async function readConnections(
  reads: Sql,
  worker: number,
  { before, limit, now }: { before: number | null; limit: number; now: number },
): Promise<Connection[]> {
  const from =
    before === null
      ? reads``
      : reads`and c.connected_at <= (select connected_at from worker_connection where id = ${before})
          and (c.connected_at, c.id) <
            (select connected_at, id from worker_connection where id = ${before})`;
  const rows = await reads<
    {
      id: number;
      connected_at: Date;
      gone_at: Date | null;
      slots: number;
      ended: boolean;
      end_reason: string | null;
    }[]
  >`
    select c.id, c.connected_at, coalesce(c.dropped_at, c.ended_at) as gone_at, c.concurrency as slots,
      c.ended_at is not null as ended, c.end_reason
    from worker_connection c where c.worker_id = ${worker} ${from}
    order by c.connected_at desc, c.id desc limit ${limit}`;
  return rows.map((row) => {
    const connectedAt = row.connected_at.getTime();
    const disconnectedAt = row.gone_at?.getTime() ?? null;
    return {
      ...{ id: Number(row.id), connectedAt, disconnectedAt, slots: row.slots },
      durationMs: Math.max(0, (disconnectedAt ?? now) - connectedAt),
      reason: row.ended ? (row.end_reason ?? "ended") : row.gone_at ? "away" : null,
    };
  });
}
