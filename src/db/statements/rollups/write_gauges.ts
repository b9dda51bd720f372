/** Minutes of what was looked at: samples of workers and of the instance, into `rollup_minute`. */
import { knownMetric, SHARED_FLEET } from "../../../core/metrics/catalogue.ts";
import type { Transaction } from "../../client.ts";

const id = (key: string) => knownMetric(key).id;

/** What is also kept of all hosts together; slots are, by their fleet. */
const OF_HOSTS = ["cpu_pct", "ram_free_mb", "disk_mbps", "network_mbps"];
const HOSTS = `'{${OF_HOSTS.map((one) => id(`worker.${one}`)).join()}}'::smallint[]`;

/**
 * One row a look and group first, then over the minute's looks. A look at which a group had nothing
 * counts as 0: without that, the mean of a worker that came at the minute's end would be 1.
 * Hosts are looked at only while they are there. Workers that all organizations share are a group of their own.
 */
const GAUGES = `
with looks as (
  select date_trunc('minute', at, 'UTC') as bucket, at from instance_sample
  where org_id = 0 and at >= $1 and at < $2),
minutes as (select bucket, count(*) as n from looks group by 1),
seen as (
  select w.*, l.bucket from worker_sample w join looks l using (at) where w.at >= $1 and w.at < $2),
fleet as (
  select s.bucket, s.at,
    case grouping(s.org_id) when 1 then 0 else coalesce(s.org_id, ${SHARED_FLEET}) end as org,
    count(*) as connected, count(*) filter (where draining) as draining,
    count(*) filter (where runs_exec) as exec, count(*) filter (where has_handlers) as handlers,
    sum(slots_offered) as offered, sum(slots_used) as used
  from seen s group by grouping sets ((s.bucket, s.at), (s.bucket, s.at, s.org_id))),
flat as (
  select bucket, at, m.metric, org, 0 as worker, m.value
  from fleet cross join lateral (values
    (${id("workers.connected")}, connected), (${id("workers.draining")}, draining),
    (${id("workers.exec")}, exec), (${id("workers.handlers")}, handlers),
    (${id("slots.offered")}, offered), (${id("slots.used")}, used)) as m(metric, value)
  union all
  select l.bucket, i.at, m.metric, i.org_id, 0, m.value
  from instance_sample i join looks l using (at) cross join lateral (values
    (${id("jobs.pending")}, i.pending), (${id("jobs.active")}, i.active),
    (${id("slots.entitled")}, i.slots_entitled)) as m(metric, value)
  where i.at >= $1 and i.at < $2 and i.name_id = 0
  union all
  select l.bucket, l.at, m.metric, 0, 0, 0
  from looks l cross join (values (${id("workers.connected")}), (${id("workers.draining")}),
    (${id("workers.exec")}), (${id("workers.handlers")}), (${id("slots.offered")}), (${id("slots.used")})) as m(metric)
  where not exists (select from seen s where s.at = l.at)),
hosts as (
  select bucket, m.metric, worker_id as worker, m.value
  from seen cross join lateral (values
    (${id("slots.offered")}, slots_offered::float8), (${id("slots.used")}, slots_used),
    (${id("worker.cpu_pct")}, cpu_pct), (${id("worker.ram_free_mb")}, ram_free_mb),
    (${id("worker.disk_mbps")}, disk_mbps), (${id("worker.network_mbps")}, network_mbps)) as m(metric, value)
  where m.value is not null),
waiting as (
  select l.bucket, i.org_id as org, i.name_id as name, i.pending as value
  from instance_sample i join looks l using (at) where i.at >= $1 and i.at < $2 and i.name_id <> 0),
rows as (
  select f.bucket, f.metric, f.org, 0 as name, f.worker, m.n as count, sum(f.value)::float8 as sum,
    case when count(*) < m.n then 0 else min(f.value) end::float8 as min, max(f.value)::float8 as max
  from flat f join minutes m using (bucket) group by f.bucket, f.metric, f.org, f.worker, m.n
  union all
  select w.bucket, ${id("jobs.pending")}, w.org, w.name, 0, m.n, sum(w.value)::float8,
    case when count(*) < m.n then 0 else min(w.value) end::float8, max(w.value)::float8
  from waiting w join minutes m using (bucket) group by w.bucket, w.org, w.name, m.n
  union all
  select bucket, metric, 0, 0, worker, count(*), sum(value), min(value), max(value)
  from hosts group by 1, 2, 5
  union all
  select bucket, metric, 0, 0, 0, count(*), sum(value), min(value), max(value)
  from hosts where metric = any(${HOSTS}) group by 1, 2)
insert into rollup_minute as t
  (metric_id, org_id, queue_id, name_id, worker_id, bucket_start, count, sum, min, max)
select metric, org, 0, name, worker, bucket, count, sum, min, max from rows
on conflict (metric_id, org_id, queue_id, name_id, worker_id, bucket_start) do update
set count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max
where (t.count, t.sum, t.min, t.max)
  is distinct from (excluded.count, excluded.sum, excluded.min, excluded.max)`;

/** All minutes in [from, to), whole ones. Epoch milliseconds. */
export async function writeGauges(tx: Transaction, from: number, to: number): Promise<void> {
  await tx.unsafe(GAUGES, [new Date(from), new Date(to)], { prepare: true });
}
