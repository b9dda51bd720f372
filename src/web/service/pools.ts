/** Pools: connected workers by the pool they said they belong to, with what their slots hold. */
import type { FleetFilter } from "../../db/org_filter.ts";
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
