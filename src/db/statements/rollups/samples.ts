/** Looks at the fleet and at the work of the instance, at moments that all servers share. */
import type { Sql } from "../../client.ts";
import { rowSource } from "../../row_source.ts";
import { NIL_UUID } from "../counters.ts";

export interface WorkerSample {
  worker: number;
  org: number | null;
  offered: number;
  used: number;
  draining: boolean;
  exec: boolean;
  handlers: boolean;
  cpuPct: number | null;
  ramFreeMb: number | null;
  ramTotalMb: number | null;
  diskMbps: number | null;
  networkMbps: number | null;
}

const workers = rowSource<WorkerSample>("w", [
  ["worker", "int", (w) => w.worker],
  ["org", "int", (w) => w.org],
  ["offered", "int", (w) => w.offered],
  ["used", "int", (w) => w.used],
  ["draining", "boolean", (w) => w.draining],
  ["exec", "boolean", (w) => w.exec],
  ["handlers", "boolean", (w) => w.handlers],
  ["cpu", "real", (w) => w.cpuPct],
  ["free", "real", (w) => w.ramFreeMb],
  ["total", "real", (w) => w.ramTotalMb],
  ["disk", "real", (w) => w.diskMbps],
  ["network", "real", (w) => w.networkMbps],
]);

/** A look that comes late would fall into minutes that were summed already. */
const LATEST_SECONDS = 60;

const WORKERS = `
insert into worker_sample (at, worker_id, org_id, slots_offered, slots_used, draining, runs_exec,
  has_handlers, cpu_pct, ram_free_mb, ram_total_mb, disk_mbps, network_mbps)
select to_timestamp($${workers.next}::float8), worker, org, offered, used, draining, exec, handlers, cpu,
  free, total, disk, network
from ${workers.sql}
where to_timestamp($${workers.next}::float8) > now() - interval '${LATEST_SECONDS} seconds'`;

/** What this server's workers do. `at`: the shared moment, epoch milliseconds. */
export async function sampleWorkers(sql: Sql, at: number, all: WorkerSample[]): Promise<void> {
  if (all.length === 0) return;
  await sql.unsafe(WORKERS, [...workers.params(all), at / 1000], { prepare: true });
}

/**
 * How much waits for a slot, by organization and name; 0 as a name: those that are not counted by
 * themselves. Names of which nothing waits may be among them, with 0.
 */
export const READY_NAMES = `
select org_id, name_id, greatest(0, sum(n))::bigint as ready from (
  select c.org_id, c.name_id, c.n from org o join counter c on c.org_id = o.id
  where c.queue_id = 0 and c.name_id > 0 and c.state = 'ready'
  union all
  select c.org_id, 0, c.n from org o join counter c on c.org_id = o.id
  where c.queue_id = 0 and c.name_id = 0 and c.workflow_id = '${NIL_UUID}' and c.state = 'ready'
  union all
  select org_id, name_id, n from counter_delta
  where queue_id = 0 and workflow_id = '${NIL_UUID}' and state = 'ready') t
group by 1, 2`;

/** Whoever comes first writes; the work is everybody's. Organizations and names without work have no row. */
const INSTANCE = `
with work as (
  select org_id, sum(n) filter (where state = 'ready') as pending,
    sum(n) filter (where state in ('dispatched', 'running')) as active
  from (
    select c.org_id, c.state, c.n from org o join counter c on c.org_id = o.id
    where c.queue_id > 0 and c.state in ('ready', 'dispatched', 'running')
    union all
    select org_id, state, n from counter_delta
    where queue_id <> 0 and state in ('ready', 'dispatched', 'running')) c
  group by 1 having sum(n) > 0),
facts as (
  select org_id, greatest(0, coalesce(pending, 0)) as pending, greatest(0, coalesce(active, 0)) as active
  from work),
total as (
  select coalesce(sum(pending), 0) as pending, coalesce(sum(active), 0) as active, count(*) as orgs from facts)
insert into instance_sample (at, org_id, name_id, pending, active, slots_entitled)
select to_timestamp($1::float8), f.org_id, 0, f.pending, f.active, t.active::float8 / t.orgs
from facts f cross join total t
where to_timestamp($1::float8) > now() - interval '${LATEST_SECONDS} seconds'
union all
select to_timestamp($1::float8), 0, 0, pending, active, active from total
where to_timestamp($1::float8) > now() - interval '${LATEST_SECONDS} seconds'
union all
select to_timestamp($1::float8), org_id, case name_id when 0 then -1 else name_id end, ready, 0, 0
from (${READY_NAMES}) r
where ready > 0 and to_timestamp($1::float8) > now() - interval '${LATEST_SECONDS} seconds'
on conflict (at, org_id, name_id) do nothing`;

export async function sampleInstance(sql: Sql, at: number): Promise<void> {
  await sql.unsafe(INSTANCE, [at / 1000], { prepare: true });
}
