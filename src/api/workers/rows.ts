/** Connected workers: one row a session that has not ended. */
import type { Sql } from "../../db/client.ts";
import type { Hello, WorkerMetrics } from "../../messages/frames.ts";
import { iso } from "../jobs/view.ts";
import type { WorkerView } from "./schemas.ts";

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
  last_seen_at: Date;
}

export interface LiveWorker {
  /** Its small id, which orders the list. */
  number: number;
  session: number;
  view: WorkerView;
}

const HANDLERS_SHOWN = 100;

/** In the order of their first coming, from after `after`; of one organization and the shared. */
export async function readWorkers(
  sql: Sql,
  org: number | null,
  { after, limit }: { after: number; limit: number },
): Promise<LiveWorker[]> {
  const rows = (await sql`
    select w.id as number, c.id as session, w.uid, w.name, o.name as org, w.pool, c.draining,
      c.concurrency, c.facts, c.metrics, c.connected_at, c.dropped_at, c.lease_until,
      greatest(w.last_seen_at, c.connected_at) as last_seen_at,
      (select count(*)::int from live_job l where l.session_id = c.id) as used
    from worker_connection c
    join worker w on w.id = c.worker_id
    left join org o on o.id = c.org_id
    where c.ended_at is null and w.id > ${after}
      ${org === null ? sql`` : sql`and (c.org_id is null or c.org_id = ${org})`}
    order by w.id, c.id desc limit ${limit}`) as unknown as WorkerRow[];
  // A worker that reconnects may for a moment have two: the newest is true.
  const newest = rows.filter((row, i) => rows[i - 1]?.number !== row.number);
  return newest.map((row) => ({
    number: row.number,
    session: row.session,
    view: workerView(row),
  }));
}

function workerView(row: WorkerRow): WorkerView {
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
    dropped_at: iso(row.dropped_at),
    lease_until: row.lease_until.toISOString(),
    last_seen_at: row.last_seen_at.toISOString(),
  };
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
