/**
 * How long the oldest ready job of a queue has waited. `live_job` has no index by queue and age, so two
 * looks that cost the same however much waits are put together: the beginnings of all lines, and the
 * oldest jobs of the installation by their ids. Where neither has seen all that may be older, it is
 * said that it is at least so long.
 */
import { timeOfId } from "../../core/ids.ts";
import { readyAtOf } from "../../core/rank.ts";
import type { Sql } from "../../db/client.ts";

export interface Latency {
  seconds: number;
  /** Older ones may be there that were not looked at. */
  isLeast: boolean;
}

export interface LatencyLook {
  /** Lines that are looked at; one a shape. */
  lines: number;
  /** Jobs of all lines together, as many of each. */
  jobs: number;
  /** Jobs by their ids. */
  oldest: number;
}

const LOOK: LatencyLook = { lines: 2_000, jobs: 4_000, oldest: 4_000 };
const PRIORITY_MIN = -100;
/** Ids are made before their jobs are written, and so little more is nothing to tell. */
const SLACK_MS = 5_000;

/** By queue id; a queue is missing where no job of it is ready, or (`wasCut`) none was met. */
export interface Latencies {
  byQueue: ReadonlyMap<number, Latency>;
  wasCut: boolean;
}

export async function readLatencies(sql: Sql, look: LatencyLook = LOOK): Promise<Latencies> {
  const [lines, oldest] = await Promise.all([readLines(sql, look), readOldest(sql, look)]);
  const wasCut = lines.count >= look.lines;
  const found = new Map(lines.byQueue);
  for (const [queue, at] of oldest.byQueue) {
    const line = found.get(queue);
    const floor = line?.floor ?? Number.POSITIVE_INFINITY;
    found.set(queue, { at: Math.min(at, line?.at ?? at), floor });
  }
  const byQueue = new Map<number, Latency>();
  for (const [queue, { at, floor }] of found) {
    // Nobody is ready before they are submitted, nor far before whoever stands before them.
    const unseen = Math.max(oldest.until, wasCut ? Number.NEGATIVE_INFINITY : floor);
    const seconds = Math.max(0, (lines.now - at) / 1000);
    byQueue.set(queue, { seconds, isLeast: at > unseen + SLACK_MS });
  }
  return { byQueue, wasCut };
}

interface Line {
  /** Since when the oldest that was met is ready, epoch milliseconds. */
  at: number;
  /** Whoever was not met is ready since then at the earliest. */
  floor: number;
}

/** Hops along the index from shape to shape, and takes the first of each line. */
async function readLines(
  sql: Sql,
  { lines, jobs }: LatencyLook,
): Promise<{ byQueue: Map<number, Line>; count: number; now: number }> {
  const rows = await sql`
    with recursive line as (
      (select shape_id, queue_id, 1 as n from live_job
       where ready_rank is not null and state = 'ready' order by shape_id, ready_rank, id limit 1)
      union all
      select next.shape_id, next.queue_id, line.n + 1 from line
      cross join lateral (
        select shape_id, queue_id from live_job
        where ready_rank is not null and state = 'ready' and shape_id > line.shape_id
        order by shape_id, ready_rank, id limit 1) next
      where line.n < ${lines}
    ), each as materialized (
      select greatest(1, ${jobs}::int / greatest(1, count(*)))::int as most, count(*)::int as n from line
    ), met as (
      select line.queue_id, min(job.ready_at) as at, max(job.ready_rank) as last, count(*) as n
      from line cross join lateral (
        select ready_at, ready_rank from live_job
        where shape_id = line.shape_id and ready_rank is not null and state = 'ready'
        order by ready_rank, id limit (select most from each)) job
      group by line.queue_id, line.shape_id
    )
    select each.n as lines, extract(epoch from now())::float8 as now, m.* from each left join (
      select queue_id as queue, extract(epoch from min(at))::float8 as at,
        min(last) filter (where n >= (select most from each))::float8 as last
      from met group by queue_id) m on true`;
  const byQueue = new Map<number, Line>();
  for (const { queue, at, last } of rows) {
    const floor = last === null ? Number.POSITIVE_INFINITY : readyAtOf(last, PRIORITY_MIN);
    if (queue !== null) byQueue.set(queue, { at: at * 1000, floor });
  }
  return { byQueue, count: rows[0]!.lines, now: rows[0]!.now * 1000 };
}

/** `until`: whoever was not met was submitted later. */
async function readOldest(
  sql: Sql,
  { oldest }: LatencyLook,
): Promise<{ byQueue: Map<number, number>; until: number }> {
  const rows = await sql`
    with looked as materialized (
      select id, queue_id, state, ready_at from live_job order by id limit ${oldest})
    select e.n, e.last, m.* from (
      select count(*)::int as n, (array_agg(id order by id desc))[1]::text as last from looked) e
    left join (
      select queue_id as queue, extract(epoch from min(ready_at))::float8 as at from looked
      where state = 'ready' group by queue_id) m on true`;
  const { n, last } = rows[0]!;
  const found = rows.filter(({ queue }) => queue !== null);
  return {
    byQueue: new Map(found.map(({ queue, at }) => [queue, at * 1000])),
    until: n < oldest ? Number.POSITIVE_INFINITY : (timeOfId(last) ?? Number.NEGATIVE_INFINITY),
  };
}
