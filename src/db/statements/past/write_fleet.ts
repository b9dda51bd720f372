/** Workers of the past, their sessions, what was seen of them, and contexts; see `write_past.ts`. */
import type { Sql, Transaction } from "../../client.ts";
import { encodeColumn, rowSource } from "../../row_source.ts";

export interface PastWorkerRow {
  uid: string;
  org: number | null;
  name: string;
  pool: string;
  slots: number;
  facts: object;
  /** First and last moment of each of its sessions, epoch milliseconds. */
  sessions: readonly (readonly [from: number, to: number])[];
}

/** Ids of the worker and of its sessions, in the order in which they were given. */
export async function writePastWorker(
  tx: Transaction,
  { uid, org, name, pool, slots, facts, sessions }: PastWorkerRow,
): Promise<{ worker: number; sessions: number[] }> {
  const first = sessions[0]?.[0] ?? 0;
  const last = sessions.at(-1)?.[1] ?? 0;
  const [row] = await tx.unsafe(
    `insert into worker (uid, org_id, name, pool, first_seen_at, last_seen_at)
     values ($1, $2, $3, $4, to_timestamp($5::float8), to_timestamp($6::float8)) returning id`,
    [uid, org, name, pool, first / 1000, last / 1000],
  );
  const worker = row!.id as number;
  const ids = await tx.unsafe(
    `insert into worker_connection (worker_id, org_id, replica_id, connected_at, dropped_at, ended_at,
       end_reason, lease_until, concurrency, facts)
     select $1, $2, '00000000-0000-4000-8000-000000000000', to_timestamp(begun), to_timestamp(ended),
       to_timestamp(ended), 'closed', to_timestamp(ended), $5, $6::text::jsonb
     from unnest($3::float8[], $4::float8[]) as s(begun, ended) order by begun returning id`,
    [
      worker,
      org,
      encodeColumn(
        "seconds",
        sessions.map(([from]) => from),
      ),
      encodeColumn(
        "seconds",
        sessions.map(([, to]) => to),
      ),
      slots,
      JSON.stringify(facts),
    ],
  );
  return { worker, sessions: ids.map(({ id }) => Number(id)).sort((a, b) => a - b) };
}

export interface PastContext {
  id: string;
  kind: "worker" | "job" | "instance";
  body: object;
}

const contexts = rowSource<PastContext>("c", [
  ["id", "uuid", (c) => c.id],
  ["kind", "text", (c) => c.kind],
  ["body", "json", (c) => c.body],
]);

export async function writePastContexts(
  tx: Transaction,
  rows: readonly PastContext[],
): Promise<void> {
  await tx.unsafe(
    `insert into context_snapshot (id, kind, body)
     select id, kind, body::jsonb from ${contexts.sql} order by id
     on conflict (id) do nothing`,
    contexts.params(rows),
    { prepare: true },
  );
}

export interface PastWorkerSample {
  at: number;
  worker: number;
  org: number | null;
  slots: number;
  used: number;
  hasHandlers: boolean;
  cpuPct: number;
  ramFreeMb: number;
  ramTotalMb: number;
  diskMbps: number;
  networkMbps: number;
}

const samples = rowSource<PastWorkerSample>("s", [
  ["at", "seconds", (s) => s.at],
  ["worker", "int", (s) => s.worker],
  ["org", "int", (s) => s.org],
  ["slots", "int", (s) => s.slots],
  ["used", "int", (s) => s.used],
  ["handlers", "boolean", (s) => s.hasHandlers],
  ["cpu", "real", (s) => s.cpuPct],
  ["free", "real", (s) => s.ramFreeMb],
  ["total", "real", (s) => s.ramTotalMb],
  ["disk", "real", (s) => s.diskMbps],
  ["network", "real", (s) => s.networkMbps],
]);

/** Organization 0 is all of them. */
export interface PastInstanceSample {
  at: number;
  org: number;
  pending: number;
  active: number;
  entitled: number;
}

const looks = rowSource<PastInstanceSample>(
  "i",
  [
    ["at", "seconds", (i) => i.at],
    ["org", "int", (i) => i.org],
    ["pending", "bigint", (i) => i.pending],
    ["active", "bigint", (i) => i.active],
    ["entitled", "real", (i) => i.entitled],
  ],
  samples.next,
);

const SAMPLES = `
with seen as (
  insert into worker_sample (at, worker_id, org_id, slots_offered, slots_used, draining, runs_exec,
    has_handlers, cpu_pct, ram_free_mb, ram_total_mb, disk_mbps, network_mbps)
  select to_timestamp(at), worker, org, slots, used, false, true, handlers, cpu, free, total, disk, network
  from ${samples.sql})
insert into instance_sample (at, org_id, pending, active, slots_entitled)
select to_timestamp(at), org, pending, active, entitled from ${looks.sql}
on conflict (at, org_id, name_id) do nothing`;

export async function writePastSamples(
  tx: Transaction,
  rows: { workers: readonly PastWorkerSample[]; instance: readonly PastInstanceSample[] },
): Promise<void> {
  const params = [...samples.params(rows.workers), ...looks.params(rows.instance)];
  await tx.unsafe(SAMPLES, params, { prepare: true });
}

const NAMES = `
insert into name_history (name_id, samples, run_ms, peak_ram_mb, cpu_ms, disk_bytes, network_mbps, oom)
select n.id, count(*), array_agg(d.run_ms order by d.ended_at), array_agg(d.peak_ram_mb order by d.ended_at),
  array_agg(d.cpu_ms order by d.ended_at),
  array_agg((d.disk_read_bytes + d.disk_write_bytes)::float8 order by d.ended_at),
  array_agg(d.network_mbps order by d.ended_at), array_agg(d.oom_killed::int::real order by d.ended_at)
from job_name n cross join lateral (
  select * from dispatched_job d where d.name_id = n.id and d.ended_at >= to_timestamp($1::float8)
  order by d.ended_at desc limit 200) d
group by n.id
on conflict (name_id) do nothing`;

/** What names used of late, from attempts that ended since then (epoch milliseconds). */
export async function writePastHistories(sql: Sql, since: number): Promise<void> {
  await sql.unsafe(NAMES, [since / 1000]);
}

/** Statistics, and BRIN ranges, which no vacuum has summarized yet. */
export async function analyzePast(sql: Sql): Promise<void> {
  await sql.unsafe(
    "vacuum analyze job, job_end, dispatched_job, phase_event, decision, worker_sample, workflow, workflow_job, edge",
  );
}

/** Rollups look at all events again; those of long ago would otherwise count as looked at. */
export async function forgetRollupProgress(sql: Sql): Promise<void> {
  await sql.unsafe("delete from rollup_progress");
}
