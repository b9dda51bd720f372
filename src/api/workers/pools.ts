/** Pools: connected workers by the pool they said they belong to, with what their slots hold. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs, type FleetFilter } from "../../db/org_filter.ts";
import { type LiveWorker, readWorkers, type WorkerReader } from "./rows.ts";
import type { PoolView } from "./schemas.ts";

export const WORKERS_MAX = 2_000;
const JOBS_MAX = 100;

interface HeldRow {
  session: number;
  job: string;
  name: string;
  attempt: number;
  state: "dispatched" | "running";
  since: Date;
}

/** Of jobs that others have on shared workers nothing is told but that a slot is used. */
export async function readPools(reader: WorkerReader, fleet: FleetFilter): Promise<PoolView[]> {
  const { sql } = reader;
  const workers = await readWorkers(reader, fleet, { after: 0, limit: WORKERS_MAX });
  const held = await readHeld(
    sql,
    workers.map(({ session }) => session),
    fleet.orgs,
  );
  const pools = new Map<string, PoolView>();
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

async function readHeld(
  sql: Sql,
  sessions: number[],
  orgs: OrgFilter,
): Promise<Map<number, HeldRow[]>> {
  const rows = (await sql`
    select s.session, held.* from unnest(${sessions}::bigint[]) as s(session)
    cross join lateral (
      select l.id as job, n.name, l.attempt, l.state, coalesce(l.started_at, l.dispatched_at) as since
      from leased_job l join job_name n on n.id = l.name_id
      where l.holder = s.session ${andOfOrgs(sql, sql`l.org_id`, orgs)} limit ${JOBS_MAX}) held`) as unknown as HeldRow[];
  const bySession = new Map<number, HeldRow[]>();
  for (const row of rows) {
    const list = bySession.get(Number(row.session)) ?? [];
    bySession.set(Number(row.session), list);
    list.push(row);
  }
  return bySession;
}

function workerOf({ view }: LiveWorker, held: readonly HeldRow[]): PoolView["workers"][number] {
  const { id, name, org, state, slots, used } = view;
  const jobs = held
    .toSorted((a, b) => a.since.getTime() - b.since.getTime())
    .map(({ job, name, attempt, state, since }) => {
      return { job, name, attempt, state, since: since.toISOString() };
    });
  return { id, name, org, state, slots, used, jobs };
}
