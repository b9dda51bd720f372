/** Connected workers: one row a session that has not ended. */
import type { Database, Sql } from "../../db/client.ts";
import { andOfFleet, type FleetFilter } from "../../db/org_filter.ts";
import type { Hello, WorkerMetrics } from "../../messages/frames.ts";

/** `lost`: its socket is gone, its leases still hold. */
export const WORKER_STATES = ["ready", "draining", "lost"] as const;

export interface WorkerView {
  id: string;
  name: string;
  /** Null: shared by all. */
  org: string | null;
  pool: string;
  state: (typeof WORKER_STATES)[number];
  slots: number;
  used: number;
  kinds: ("exec" | "handler")[];
  system: string | null;
  features: string[];
  /** The first 100. */
  handlers: string[];
  resources: { cpus: number | null; ram_mb: number | null };
  metrics: Record<
    "cpu_pct" | "ram_free_mb" | "ram_total_mb" | "disk_mbps" | "network_mbps",
    number | null
  >;
  version: string | null;
  host: string | null;
  pid: number | null;
  connected_at: string;
  dropped_at: string | null;
  lease_until: string;
  last_seen_at: string;
}

interface WorkerRow {
  number: number;
  session: number;
  uid: string;
  name: string;
  org: string | null;
  pool: string;
  draining: boolean;
  concurrency: number;
  used: number;
  facts: Partial<Hello>;
  metrics: WorkerMetrics | null;
  connected_at: Date;
  dropped_at: Date | null;
  lease_until: Date;
}

export interface LiveWorker {
  /** Its small id, which orders the list. */
  number: number;
  session: number;
  view: WorkerView;
}

const LEASE_SECONDS = 30;
const HANDLERS_SHOWN = 100;

export interface WorkerReader {
  sql: Sql;
  leaseSeconds: number;
}

export function workerReader(from: {
  database: Pick<Database, "reads">;
  leaseSeconds?: number;
}): WorkerReader {
  return { sql: from.database.reads, leaseSeconds: from.leaseSeconds ?? LEASE_SECONDS };
}

/** In the order of their first coming, from after `after`. */
export async function readWorkers(
  { sql, leaseSeconds }: WorkerReader,
  fleet: FleetFilter,
  { after, limit }: { after: number; limit: number },
): Promise<LiveWorker[]> {
  const rows = (await sql`
    select w.id as number, c.id as session, w.uid, w.name, o.name as org, w.pool, c.draining,
      c.concurrency, c.facts, c.metrics, c.connected_at, c.dropped_at, c.lease_until,
      (select count(*)::int from leased_job l where l.holder = c.id) as used
    from worker_connection c
    join worker w on w.id = c.worker_id
    left join org o on o.id = c.org_id
    where c.ended_at is null and w.id > ${after}
      ${andOfFleet(sql, sql`c.org_id`, fleet)}
    order by w.id, c.id desc limit ${limit}`) as unknown as WorkerRow[];
  // A worker that reconnects may for a moment have two: the newest is true.
  const newest = rows.filter((row, i) => rows[i - 1]?.number !== row.number);
  return newest.map((row) => ({
    number: row.number,
    session: row.session,
    view: workerView(row, leaseSeconds),
  }));
}

function workerView(row: WorkerRow, leaseSeconds: number): WorkerView {
  const { facts } = row;
  return {
    id: row.uid,
    name: row.name,
    org: row.org,
    pool: row.pool,
    state: row.dropped_at !== null ? "lost" : row.draining ? "draining" : "ready",
    slots: row.concurrency,
    used: row.used,
    kinds: facts.kinds ?? [],
    system: facts.system ?? null,
    features: facts.features ?? [],
    handlers: (facts.handlers ?? []).slice(0, HANDLERS_SHOWN),
    resources: {
      cpus: facts.resources?.cpus ?? null,
      ram_mb: facts.resources?.ram_mb ?? null,
    },
    metrics: metricsOf(row.metrics),
    version: facts.version ?? null,
    host: facts.host ?? null,
    pid: facts.pid ?? null,
    connected_at: row.connected_at.toISOString(),
    dropped_at: row.dropped_at?.toISOString() ?? null,
    lease_until: row.lease_until.toISOString(),
    last_seen_at: lastSeen(row, leaseSeconds).toISOString(),
  };
}

/** Each heartbeat sets the lease to the whole time from then; a drop says when it was. */
function lastSeen(row: WorkerRow, leaseSeconds: number): Date {
  if (row.dropped_at !== null) return row.dropped_at;
  const heartbeat = row.lease_until.getTime() - leaseSeconds * 1000;
  return new Date(Math.max(row.connected_at.getTime(), heartbeat));
}

function metricsOf(metrics: WorkerMetrics | null): WorkerView["metrics"] {
  return {
    cpu_pct: metrics?.cpu_pct ?? null,
    ram_free_mb: metrics?.ram_free_mb ?? null,
    ram_total_mb: metrics?.ram_total_mb ?? null,
    disk_mbps: metrics?.disk_mbps ?? null,
    network_mbps: metrics?.network_mbps ?? null,
  };
}
