/** One worker over time: its host, its slots, and when it was connected. */
import { z } from "zod";
import type { Point } from "../../core/metrics/series.ts";
import { findWorker, readConnections, readWorkerSeries } from "../../web/fleet/one_worker.ts";
import type { Series } from "../../web/metrics/read_series.ts";
import { time } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { ok, type Route, route } from "../route.ts";
import { covered, coveredView, iso, spanOf, spanQuery } from "../span.ts";

const CONNECTIONS_MAX = 100;

const figure = z.number().nullable().describe("Null: it was away, or did not tell");
const point = z
  .object({
    bucket_start: time,
    ...{ avg: figure, min: figure, max: figure },
    complete: z.boolean().describe("False while the bucket runs"),
  })
  .meta({ id: "GaugePoint" });
const points = z.array(point).describe("At most 750");

const connection = z.object({
  connected_at: time,
  disconnected_at: time.nullable().describe("Null: it is connected"),
  duration_seconds: z.number().min(0).describe("Until now, where it is not over"),
  slots: z.int().min(0),
  reason: z
    .string()
    .nullable()
    .describe("`closed`, `superseded`, `lapsed`; `away`: its socket is gone and its lease holds"),
});

const answer = z
  .object({
    worker: z.object({ id: z.uuid(), name: z.string(), org: z.string().nullable() }),
    ...covered,
    series: z.object({
      cpu_pct: points,
      ram_free_mb: points,
      disk_mbps: points.describe("MB/s"),
      network_mbps: points.describe("Mbit/s"),
      slots_used: points,
      slots_offered: points,
    }),
    jobs_dispatched: z
      .int()
      .nullable()
      .describe("In these buckets; null of a shared worker, which runs jobs of others too"),
    connections: z.array(connection).describe("The newest 100"),
  })
  .meta({ id: "WorkerMetrics" });

const metrics = route({
  method: "get",
  path: "/orgs/{org}/workers/{worker_id}/metrics",
  tag: "Workers",
  summary: "What a worker's host and slots did over time, and when it was connected",
  params: z.strictObject({ org: z.string().max(63), worker_id: z.uuid().toLowerCase() }),
  query: z.strictObject(spanQuery),
  answers: { 200: { description: "Series, downsampled to the span", schema: answer } },
  handle: async ({ params, query, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    const { reads } = deps.database;
    const worker = await findWorker(reads, { orgs: [org], shared: true }, params.worker_id);
    if (worker === null) throw notFound("worker", params.worker_id);
    const now = deps.engine.now();
    const range = spanOf(query, now);
    const source = { reads, directory: deps.directory, kept: deps.engine.keeping.retention };
    const [series, connections] = await Promise.all([
      readWorkerSeries(source, caller.scope, range, worker.uid),
      readConnections(reads, worker.id, { before: null, limit: CONNECTIONS_MAX, now }),
    ]);
    const isTold = caller.scope.isSuperuser || worker.org !== null;
    return ok({
      worker: { id: worker.uid, name: worker.name, org: worker.org },
      ...coveredView(range, series.used.covered),
      series: {
        cpu_pct: gauge(series.cpu),
        ram_free_mb: gauge(series.ramFree),
        disk_mbps: gauge(series.disk),
        network_mbps: gauge(series.network),
        slots_used: gauge(series.used),
        slots_offered: gauge(series.offered),
      },
      jobs_dispatched: isTold ? sumOf(series.dispatched) : null,
      connections: connections.map((one) => ({
        connected_at: iso(one.connectedAt),
        disconnected_at: one.disconnectedAt === null ? null : iso(one.disconnectedAt),
        duration_seconds: one.durationMs / 1_000,
        ...{ slots: one.slots, reason: one.reason },
      })),
    });
  },
});

function gauge({ points: own }: Series) {
  return own.map(({ bucket, avg, least, most, isRunning }: Point) => ({
    ...{ bucket_start: iso(bucket), avg, min: least, max: most, complete: !isRunning },
  }));
}

function sumOf({ points: own }: Series): number {
  return own.reduce((sum, one) => sum + (one.count ?? 0), 0);
}

export const workerMetricRoutes: readonly Route[] = [metrics];
