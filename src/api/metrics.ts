/**
 * `GET /metrics` for Prometheus: this process, the workers that are connected to it, and what it
 * answered. Every server tells its own part, so that sums over servers are right.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Sql } from "../db/client.ts";
import type { Traffic } from "../web/traffic.ts";
import { ExpectedNames, type ExpectedNamesDeps } from "./expected_names.ts";
import { type JobMetricsDeps, jobLines } from "./job_metrics.ts";

export interface MetricsDeps extends JobMetricsDeps, ExpectedNamesDeps {
  reads: Sql;
  replicaId: string;
  version: string;
  traffic: Traffic;
}

export interface Metrics {
  /** The exposition, with its content type. */
  scrape(): Promise<{ text: string; contentType: string }>;
}

const STATES = ["ready", "draining", "away"] as const;
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** Scrapers that come together share one look at the database. */
const SHARED_MS = 1_000;

export function createMetrics(deps: MetricsDeps): Metrics {
  const register = new Registry();
  const registers = [register];
  const requests = new Counter({
    name: "signalbox_http_requests_total",
    help: "Requests to the API and the board that this server answered",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "signalbox_http_request_duration_seconds",
    help: "From the request to the head of its answer",
    labelNames: ["method", "route"],
    buckets: BUCKETS,
    registers,
  });
  const build = { name: "signalbox_build_info", help: "1, with the version of the API" };
  new Gauge({ ...build, labelNames: ["version"], registers }).set({ version: deps.version }, 1);
  const readFleet = fleetGauges(deps, registers);
  const expected = new ExpectedNames(deps);
  /** Of names, as they were at the last look; without a database nothing is told of them. */
  let jobs = "";
  let looks = 0;
  let looked: Promise<void> | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;

  deps.traffic.listen(({ method, route, status, seconds }) => {
    requests.inc({ method, route, status: String(status) });
    durations.observe({ method, route }, seconds);
  });

  return {
    scrape: async () => {
      // It watches the event loop and the collector from then on: only where somebody scrapes.
      if (looks++ === 0) collectDefaultMetrics({ register });
      if (looked === null || performance.now() - lookedAt > SHARED_MS) {
        lookedAt = performance.now();
        looked = readFleet().then(async () => {
          jobs = await jobLines(deps, expected).catch(() => "");
        });
      }
      await looked;
      return { text: (await register.metrics()) + jobs, contentType: register.contentType };
    },
  };
}

/** Reads them anew. Where the database is away its gauges say nothing, and the rest is told all the same. */
function fleetGauges({ reads, replicaId }: MetricsDeps, registers: Registry[]) {
  const up = new Gauge({ name: "signalbox_database_up", help: "1: it answered", registers });
  const workers = new Gauge({
    name: "signalbox_workers",
    help: "Workers connected to this server; away: it lost its socket and its lease holds",
    labelNames: ["state"],
    registers,
  });
  const offered = new Gauge({
    name: "signalbox_slots_offered",
    help: "Slots of workers that are ready, on this server",
    registers,
  });
  const used = new Gauge({
    name: "signalbox_slots_used",
    help: "Slots with a job, on this server",
    registers,
  });
  return async () => {
    try {
      const rows = await readFleet(reads, replicaId);
      up.set(1);
      for (const state of STATES) {
        workers.set({ state }, rows.find((row) => row.state === state)?.workers ?? 0);
      }
      offered.set(rows.find((row) => row.state === "ready")?.slots ?? 0);
      used.set(rows.reduce((sum, row) => sum + row.used, 0));
    } catch {
      up.set(0);
      workers.reset();
      offered.reset();
      used.reset();
    }
  };
}

async function readFleet(reads: Sql, replica: string) {
  return reads<{ state: string; workers: number; slots: number; used: number }[]>`
    select case when c.dropped_at is not null then 'away' when c.draining then 'draining'
        else 'ready' end as state,
      count(*)::int as workers, sum(c.concurrency)::int as slots,
      coalesce(sum(h.used), 0)::int as used
    from worker_connection c
    left join (select holder, count(*) as used from leased_job group by 1) h on h.holder = c.id
    where c.ended_at is null and c.replica_id = ${replica}
    group by 1`;
}
