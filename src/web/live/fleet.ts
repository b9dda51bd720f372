/**
 * The connected fleet as boards watch it: read once for all who look at the same moment, whatever of it each
 * may see, and sorted out here.
 */
import { coversWorker, unionOf } from "../../core/org_filter.ts";
import type { Sql } from "../../db/client.ts";
import { type FleetSize, fleetSizeOf, type OrgShare, readOrgShares } from "../../db/fleet.ts";
import { andOfFleet, type FleetFilter, fleetKey } from "../../db/org_filter.ts";
import { Gathered } from "../gathered.ts";

export interface ConnectedWorker {
  id: string;
  name: string;
  /** Null: shared by all organizations. */
  org: string | null;
  pool: string;
  state: "ready" | "draining" | "away";
  slots: number;
  used: number;
  connected_at: string;
  metrics: Record<string, number> | null;
}

const WORKERS_MAX = 5_000;

/** How many there are, and how many of them are hidden, of all that are asked for and all that are seen. */
export async function liveFleetSize(
  reads: Sql,
  asked: FleetFilter,
  seen: FleetFilter,
): Promise<FleetSize> {
  return fleetSizeOf(await sizes.ask(reads, null), asked, seen);
}

const sizes = new Gathered<null, OrgShare[]>((reads) => readOrgShares(reads));

/** Open sessions; `away` lost its socket and keeps its jobs until its lease ends. */
export async function liveWorkers(reads: Sql, fleet: FleetFilter): Promise<ConnectedWorker[]> {
  const rows = await (await workers.ask(reads, fleet))(fleet);
  return rows.map(printed);
}

type RowsOf = (fleet: FleetFilter) => Promise<WorkerRow[]>;

const workers = new Gathered<FleetFilter, RowsOf>(async (reads, asked) => {
  const rows = await readWorkers(reads, {
    orgs: unionOf(asked.map((fleet) => fleet.orgs)),
    shared: asked.some((fleet) => fleet.shared),
  });
  const isWhole = rows.length < WORKERS_MAX || new Set(asked.map(fleetKey)).size === 1;
  // Of more than fit, what somebody sees might be what was cut.
  if (!isWhole) return (fleet) => readWorkers(reads, fleet);
  return async (fleet) => rows.filter((row) => coversWorker(fleet, row.org_id));
});

interface WorkerRow {
  uid: string;
  name: string;
  org_id: number | null;
  org: string | null;
  pool: string;
  draining: boolean;
  dropped_at: Date | null;
  connected_at: Date;
  concurrency: number;
  used: number;
  metrics: Record<string, number> | null;
}

async function readWorkers(reads: Sql, fleet: FleetFilter): Promise<WorkerRow[]> {
  return await reads<WorkerRow[]>`
    select w.uid, w.name, c.org_id, o.name as org, w.pool, c.draining, c.dropped_at, c.connected_at,
      c.concurrency, coalesce(h.used, 0)::int as used, c.metrics
    from worker_connection c
    join worker w on w.id = c.worker_id
    left join org o on o.id = c.org_id
    left join (
      select holder, count(*) as used from leased_job group by 1
    ) h on h.holder = c.id
    where c.ended_at is null ${andOfFleet(reads, reads`c.org_id`, fleet)}
    order by w.name, w.id limit ${WORKERS_MAX}`;
}

function printed(row: WorkerRow): ConnectedWorker {
  return {
    id: row.uid,
    name: row.name,
    org: row.org,
    pool: row.pool,
    state: row.dropped_at ? "away" : row.draining ? "draining" : "ready",
    slots: row.concurrency,
    used: row.used,
    connected_at: row.connected_at.toISOString(),
    metrics: row.metrics,
  };
}
