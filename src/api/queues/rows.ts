/** Queues with their counts, and how long the first in line waits. */
import type { Sql } from "../../db/client.ts";
import { countByQueue, pendingOf, runningOf } from "../counters.ts";
import { iso } from "../jobs/view.ts";
import type { QueueView } from "./schemas.ts";

interface QueueRow {
  id: number;
  org: string;
  name: string;
  description: string;
  paused_at: Date | null;
  paused_by: string | null;
  pause_reason: string | null;
  concurrency: number | null;
  rate_count: number | null;
  rate_seconds: number | null;
}

/** Shapes whose line is looked at; more of them leave the latency a lower bound. */
const SHAPES_MAX = 2_000;

/** By name, from after `after`. */
export async function readQueues(
  sql: Sql,
  org: number,
  { after, limit }: { after: string; limit: number },
): Promise<(QueueView & { id: number })[]> {
  const rows = (await sql`
    select q.id, o.name as org, q.name, q.description, q.paused_at, q.paused_by, q.pause_reason,
      l.concurrency, l.rate_count, l.rate_seconds
    from queue q join org o on o.id = q.org_id left join queue_limit l on l.queue_id = q.id
    where q.org_id = ${org} and q.name > ${after}
    order by q.name limit ${limit}`) as unknown as QueueRow[];
  const [counts, latencies] = await Promise.all([countByQueue(sql, [org]), readLatencies(sql)]);
  return rows.map((row) => ({
    id: row.id,
    org: row.org,
    name: row.name,
    description: row.description,
    pending: pendingOf(counts.get(row.id)),
    running: runningOf(counts.get(row.id)),
    latency_seconds: latencies.get(row.id) ?? 0,
    paused_at: iso(row.paused_at),
    paused_by: row.paused_by,
    pause_reason: row.pause_reason,
    limits: limitsOf(row),
  }));
}

function limitsOf(row: QueueRow): QueueView["limits"] {
  const { concurrency, rate_count, rate_seconds } = row;
  const rate =
    rate_count === null || rate_seconds === null
      ? null
      : { count: rate_count, seconds: rate_seconds };
  return concurrency === null && rate === null ? null : { concurrency, rate };
}

/**
 * Seconds that the head of each queue's line has been ready, by queue id. Hops along the index from
 * shape to shape and takes each head, so its cost goes with the shapes that have a line, not with
 * the jobs in it. With priorities the head need not be the oldest; it is the next.
 */
async function readLatencies(sql: Sql): Promise<Map<number, number>> {
  const rows = await sql`
    with recursive head as (
      (select shape_id, queue_id, ready_at, 1 as n from live_job
       where ready_rank is not null and state = 'ready' order by shape_id, ready_rank, id limit 1)
      union all
      select next.shape_id, next.queue_id, next.ready_at, head.n + 1 from head
      cross join lateral (
        select shape_id, queue_id, ready_at from live_job
        where ready_rank is not null and state = 'ready' and shape_id > head.shape_id
        order by shape_id, ready_rank, id limit 1) next
      where head.n < ${SHAPES_MAX}
    )
    select queue_id as queue, extract(epoch from now() - min(ready_at))::float8 as seconds
    from head group by queue_id`;
  return new Map(rows.map((row) => [row.queue as number, Math.max(0, row.seconds as number)]));
}
