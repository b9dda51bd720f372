/**
 * The costliest attempts of each day and group, kept by merging: what ended in some minutes is put among
 * those that stand there already, so that a day is never read whole.
 */
import { knownMetric } from "../../../core/metrics/catalogue.ts";
import type { Transaction } from "../../client.ts";

/** Places of each list. */
export const PLACES = 20;

/** What attempts are ranked by: keys of the catalogue. Run times whatever their outcome. */
export const MEASURES = {
  longest: "jobs.duration_ms",
  ram: "usage.peak_ram_mb",
  cpu: "usage.cpu_ms",
  disk: "usage.disk_bytes",
  network: "usage.network_mbps",
} as const;
export type Measure = keyof typeof MEASURES;

export const MEASURE_NAMES = Object.keys(MEASURES) as Measure[];

export function measureId(measure: Measure): number {
  return knownMetric(MEASURES[measure]).id;
}

const LIST = "metric_id, org_id, queue_id, name_id, day";
const FACTS = "value, job_id, attempt, ended_at, job_org_id, job_queue_id, job_name_id, worker_id";

const RANK = `
with ended as (
  select m.metric_id::smallint as metric_id, (d.ended_at at time zone 'UTC')::date as day, m.value::float8 as value,
    d.job_id, d.attempt, d.ended_at, d.org_id as job_org_id, d.queue_id as job_queue_id,
    d.name_id as job_name_id, d.worker_id
  from dispatched_job d cross join lateral (values
    (${measureId("longest")}, d.run_ms), (${measureId("ram")}, d.peak_ram_mb), (${measureId("cpu")}, d.cpu_ms),
    (${measureId("disk")}, coalesce(d.disk_read_bytes, 0) + coalesce(d.disk_write_bytes, 0)),
    (${measureId("network")}, d.network_mbps)) as m(metric_id, value)
  where d.ended_at >= $1 and d.ended_at < $2 and m.value > 0),
best as (
  select * from (
    select *, row_number() over (partition by metric_id, day, job_org_id, job_queue_id, job_name_id
      order by value desc, job_id, attempt) as place from ended) e
  where place <= ${PLACES}),
fresh as (
  select b.metric_id, g.org_id, g.queue_id, g.name_id, b.day, b.value, b.job_id, b.attempt, b.ended_at,
    b.job_org_id, b.job_queue_id, b.job_name_id, b.worker_id
  from best b left join job_name n on n.id = b.job_name_id
  cross join lateral (values (0, 0, 0), (b.job_org_id, 0, 0), (b.job_org_id, b.job_queue_id, 0),
    (b.job_org_id, 0, case when n.counted then b.job_name_id else -1 end)) as g(org_id, queue_id, name_id)),
lists as (select distinct ${LIST} from fresh),
merged as (
  select ${LIST}, ${FACTS} from fresh
  union
  select ${LIST}, ${FACTS} from ranking join lists using (${LIST})),
placed as (
  select *, row_number() over (partition by ${LIST} order by value desc, job_id, attempt) as place from merged)
insert into ranking as r (${LIST}, place, ${FACTS})
select ${LIST}, place, ${FACTS} from placed where place <= ${PLACES}
on conflict (${LIST}, place) do update set value = excluded.value, job_id = excluded.job_id,
  attempt = excluded.attempt, ended_at = excluded.ended_at, job_org_id = excluded.job_org_id,
  job_queue_id = excluded.job_queue_id, job_name_id = excluded.job_name_id, worker_id = excluded.worker_id
where (r.job_id, r.attempt) is distinct from (excluded.job_id, excluded.attempt)`;

/** Attempts that ended in [from, to), epoch milliseconds. Those that were ranked before stay where they are. */
export async function writeRankings(tx: Transaction, from: number, to: number): Promise<void> {
  await tx.unsafe(RANK, [new Date(from), new Date(to)], { prepare: true });
}
