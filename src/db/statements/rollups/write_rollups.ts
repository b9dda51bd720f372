/**
 * Computes whole buckets and writes them over what was there: the same raw rows give the same rollup,
 * however often and by whomever it is computed (engine rule 29).
 */

import { SYSTEM_ORG_ID } from "../../../core/background/system_org.ts";
import type { Granularity } from "../../../core/metrics/buckets.ts";
import { BIN_MAX, GROWTH, LEAST } from "../../../core/metrics/histogram.ts";
import type { Transaction } from "../../client.ts";
import { EQUAL_BINS, keptFor, RAW_ROWS, WORKERS } from "./raw_rows.ts";

/** Members of a group that are kept by themselves; the others share one row, -1. Names: `job_name.counted`. */
export const QUEUES_MAX = 200;
export const WORKERS_MAX = 500;
const REST = -1;

const GROUP = "metric_id, org_id, queue_id, name_id, worker_id";
const KEY = `${GROUP}, bucket_start`;

/** Rows that are as they were are not written again. */
const OVER = `
on conflict (${KEY}) do update set count = excluded.count, sum = excluded.sum, min = excluded.min,
  max = excluded.max, bins = excluded.bins, hits = excluded.hits
where (t.count, t.sum, t.min, t.max, t.hits)
  is distinct from (excluded.count, excluded.sum, excluded.min, excluded.max, excluded.hits)`;

/** As `binOf` of the histogram, which a test holds this against. */
const BIN = `
case when value is null then null
  when metric = any(${EQUAL_BINS}) then least(${BIN_MAX}, greatest(-${BIN_MAX}, floor(value)))::smallint
  when value = 0 then 0::smallint
  else (sign(value) * least(${BIN_MAX}, greatest(1, ceil(ln(abs(value) / ${LEAST}) / ln(${GROWTH})))))::smallint
end`;

/**
 * `least` of a group's members: the queues that came first, and the workers that came last. What is `own`,
 * Signalbox's maintenance, is counted for itself and its names alone.
 *
 * A busy minute has a million raw rows: they are read once, not kept, and added up by all that they differ in before
 * they are by each grouping. Read twice and grouped five times over, a minute of 40,000 jobs took 9 s.
 */
const MINUTES = `
with raw as (${RAW_ROWS}),
queues as (
  select id, row_number() over (partition by org_id order by id) <= ${QUEUES_MAX} as counted from queue),
newest as (
  select bucket, worker_id from (
    select bucket, worker_id, row_number() over (partition by bucket order by worker_id desc) as place
    from (${WORKERS}) w) w
  where place <= ${WORKERS_MAX}),
binned as (
  select r.bucket, r.metric::smallint as metric, r.org_id as org, r.org_id = ${SYSTEM_ORG_ID} as own,
    case when q.counted then r.queue_id else ${REST} end as queue,
    case when n.counted then r.name_id else ${REST} end as name,
    case when r.worker_id is null then null when w.worker_id is null then ${REST} else r.worker_id end as worker,
    r.value, ${BIN} as bin
  from raw r left join queues q on q.id = r.queue_id left join job_name n on n.id = r.name_id
    left join newest w on w.bucket = r.bucket and w.worker_id = r.worker_id),
fine as (
  select bucket, metric, bin, own, org, queue, name, worker,
    count(*) as n, coalesce(sum(value), 0) as total, min(value) as least, max(value) as most
  from binned group by bucket, metric, bin, own, org, queue, name, worker),
grouped as (
  select bucket, metric, bin, coalesce(org, 0) as org, coalesce(queue, 0) as queue,
    coalesce(name, 0) as name, coalesce(worker, 0) as worker,
    sum(n) as n, sum(total) as total, min(least) as least, max(most) as most
  from fine
  group by grouping sets ((bucket, metric, bin, own), (bucket, metric, bin, own, org),
    (bucket, metric, bin, own, org, queue), (bucket, metric, bin, own, org, name),
    (bucket, metric, bin, own, worker))
  having case grouping(org, queue, name, worker)
    when 15 then not own and metric = any(${keptFor("")})
    when 7 then metric = any(${keptFor("org")})
    when 3 then not own and metric = any(${keptFor("org,queue")})
    when 5 then metric = any(${keptFor("org,name")})
    else worker is not null and metric = any(${keptFor("worker")}) end)
insert into rollup_minute as t (${KEY}, count, sum, min, max, bins, hits)
select metric, org, queue, name, worker, bucket, sum(n), sum(total), min(least), max(most),
  array_agg(bin order by bin) filter (where bin is not null),
  array_agg(n::bigint order by bin) filter (where bin is not null)
from grouped group by 1, 2, 3, 4, 5, 6 ${OVER}`;

/** All minutes in [from, to), which begin and end at whole ones. Epoch milliseconds. */
export async function writeMinutes(tx: Transaction, from: number, to: number): Promise<void> {
  await tx.unsafe(MINUTES, [new Date(from), new Date(to)], { prepare: true });
}

const summed = (finer: Granularity, granularity: Granularity) => `
with cells as (
  select date_trunc('${granularity}', bucket_start, 'UTC') as bucket, ${GROUP}, count, sum, min, max, bins, hits
  from rollup_${finer} where bucket_start >= $1 and bucket_start < $2),
totals as (
  select bucket, ${GROUP}, sum(count) as count, sum(sum) as sum, min(min) as min, max(max) as max
  from cells group by bucket, ${GROUP}),
counted as (
  select bucket, ${GROUP}, h.bin, sum(h.n)::bigint as n
  from cells cross join lateral unnest(bins, hits) as h(bin, n) group by bucket, ${GROUP}, h.bin),
histograms as (
  select bucket, ${GROUP}, array_agg(bin order by bin) as bins, array_agg(n order by bin) as hits
  from counted group by bucket, ${GROUP})
insert into rollup_${granularity} as t (${KEY}, count, sum, min, max, bins, hits)
select ${GROUP}, bucket, count, sum, min, max, bins, hits
from totals left join histograms using (bucket, ${GROUP}) ${OVER}`;

const SUMMED = {
  hour: summed("minute", "hour"),
  day: summed("hour", "day"),
  week: summed("day", "week"),
};

/** One bucket [from, to) out of the finer ones that it consists of. */
export async function writeCoarser(
  tx: Transaction,
  granularity: keyof typeof SUMMED,
  from: number,
  to: number,
): Promise<void> {
  await tx.unsafe(SUMMED[granularity], [new Date(from), new Date(to)], { prepare: true });
}
