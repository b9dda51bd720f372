/** Pools: connected workers by the pool they said they belong to, with what their slots hold. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs, type FleetFilter } from "../../db/org_filter.ts";
import { type HeldSlot, readHeld } from "./slots.ts";
import { type LiveWorker, readWorkers, type WorkerReader, type WorkerView } from "./workers.ts";

export const WORKERS_MAX = 2_000;
/** Of one worker; the rest is in the list of its slots. */
const JOBS_MAX = 100;

/** One process. */
export interface PoolWorker
  extends Pick<WorkerView, "id" | "name" | "org" | "state" | "pid" | "host" | "slots" | "used"> {
  started_at: string;
  heartbeat_at: string;
  /** Of what the reader sees, the first 100 in the order of their slots. */
  jobs: HeldSlot[];
}

export interface Pool {
  name: string;
  slots: number;
  used: number;
  workers: PoolWorker[];
}

/** Of jobs that others have on shared workers nothing is told but that a slot is used. */
export async function readPools(reader: WorkerReader, fleet: FleetFilter): Promise<Pool[]> {
  const workers = await readWorkers(reader, fleet, { after: 0, limit: WORKERS_MAX });
  const sessions = workers.map(({ session }) => session);
  const held = await readHeld(reader.sql, sessions, { orgs: fleet.orgs, each: JOBS_MAX });
  const pools = new Map<string, Pool>();
  for (const worker of workers) {
    const { pool: name } = worker.view;
    const pool = pools.get(name) ?? { name, slots: 0, used: 0, workers: [] };
    pools.set(name, pool);
    pool.slots += worker.view.slots;
    pool.used += worker.view.used;
    pool.workers.push(workerOf(worker, held.get(worker.session) ?? []));
  }
  return [...pools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function workerOf({ view }: LiveWorker, jobs: HeldSlot[]): PoolWorker {
  const { id, name, org, state, pid, host, slots, used } = view;
  return {
    ...{ id, name, org, state, pid, host, slots, used },
    ...{ started_at: view.connected_at, heartbeat_at: view.last_seen_at, jobs },
  };
}

/** Slots that hold jobs of these organizations, by the worker's id: shared workers hold those of others too. */
export async function countHeld(
  sql: Sql,
  pools: readonly Pool[],
  orgs: OrgFilter,
): Promise<Map<string, number>> {
  const workers = pools.flatMap((pool) => pool.workers);
  if (orgs === "all") return new Map(workers.map(({ id, used }) => [id, used]));
  const busy = workers.filter(({ used }) => used > 0).map(({ id }) => id);
  const rows = await sql`
    select w.uid as id, count(*)::int as n
    from worker w join worker_connection c on c.worker_id = w.id and c.ended_at is null
    join leased_job l on l.holder = c.id
    where w.uid = any(${busy}::uuid[]) ${andOfOrgs(sql, sql`l.org_id`, orgs)} group by 1`;
  return new Map(rows.map((row) => [row.id as string, row.n as number]));
}
