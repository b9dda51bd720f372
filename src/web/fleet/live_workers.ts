/** Connected workers with all that the board tells of them: one row a worker. */
import type { LoadedWorker } from "../../core/fleet_load.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, type FleetFilter } from "../../db/org_filter.ts";
import type { WorkerMetrics } from "../../messages/frames.ts";

export interface LiveWorker extends LoadedWorker {
  uid: string;
  name: string;
  /** Null: shared by all organizations. */
  org: string | null;
  /** Epoch milliseconds. */
  connectedAt: number;
  metrics: WorkerMetrics;
}

export const LIVE_WORKERS_MAX = 5_000;

interface Row {
  uid: string;
  name: string;
  org: string | null;
  pool: string;
  system: string | null;
  runs_exec: boolean;
  has_handlers: boolean;
  draining: boolean;
  dropped_at: Date | null;
  connected_at: Date;
  slots: number;
  used: number;
  metrics: WorkerMetrics | null;
}

/** By name. A worker that reconnects may for a moment have two sessions: the newest is true. */
export async function readLiveWorkers(
  reads: Sql,
  fleet: FleetFilter,
  uid?: string,
): Promise<LiveWorker[]> {
  const one = uid === undefined ? reads`` : reads`and w.uid = ${uid}`;
  const rows = await reads<Row[]>`
    select distinct on (c.worker_id) w.uid, w.name, o.name as org, w.pool, c.draining, c.dropped_at,
      c.connected_at, c.concurrency as slots, c.metrics, c.facts->>'system' as system,
      coalesce(c.facts->'kinds' @> '"exec"', true) as runs_exec,
      coalesce(jsonb_array_length(c.facts->'handlers') > 0, false) as has_handlers,
      (select count(*)::int from leased_job l where l.holder = c.id) as used
    from worker_connection c
    join worker w on w.id = c.worker_id
    left join org o on o.id = c.org_id
    where c.ended_at is null ${one} ${andOfFleet(reads, reads`c.org_id`, fleet)}
    order by c.worker_id, c.id desc limit ${LIVE_WORKERS_MAX}`;
  return rows.map(workerOf).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

function workerOf(row: Row): LiveWorker {
  const { uid, name, org, pool, system, slots, used } = row;
  return {
    ...{ uid, name, org, pool, system, slots, used },
    runsExec: row.runs_exec,
    hasHandlers: row.has_handlers,
    state: row.dropped_at !== null ? "away" : row.draining ? "draining" : "ready",
    connectedAt: row.connected_at.getTime(),
    metrics: row.metrics ?? {},
  };
}
