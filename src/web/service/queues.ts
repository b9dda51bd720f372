/** Queues with their counts, and how long the first in line waits. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { countByQueue, pendingOf, runningOf } from "../../db/job_counts.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import {
  type LimitColumns,
  type Limits,
  limitsOf,
} from "../../db/statements/operating/queue_settings.ts";

export interface ServiceQueue {
  id: number;
  org: string;
  name: string;
  description: string;
  /** Jobs that wait, for whatever. */
  pending: number;
  /** Jobs that a worker holds. */
  running: number;
  latency_seconds: number;
  paused_at: string | null;
  paused_by: string | null;
  pause_reason: string | null;
  /** What waited in it is being ended. */
  stopping: boolean;
  /** Null: none at all. */
  limits: Limits | null;
}

interface QueueRow extends LimitColumns {
  id: number;
  org: string;
  name: string;
  description: string;
  paused_at: Date | null;
  paused_by: string | null;
  pause_reason: string | null;
  stopping: boolean;
}

/** Shapes whose line is looked at; more of them leave the latency a lower bound. */
const SHAPES_MAX = 2_000;

/** By name and then organization, from after `after`. */
export async function readQueues(
  sql: Sql,
  orgs: OrgFilter,
  {
    after,
    limit,
    only,
  }: { after: { name: string; org: string } | null; limit: number; only?: number },
): Promise<ServiceQueue[]> {
  const one = only === undefined ? sql`` : sql`and q.id = ${only}`;
  const beyond = after ? sql`and (q.name, o.name) > (${after.name}, ${after.org})` : sql``;
  const rows = (await sql`
    select q.id, o.name as org, q.name, q.description, q.paused_at, q.paused_by, q.pause_reason,
      q.stop_below is not null as stopping, l.concurrency, l.rate_count, l.rate_seconds, l.key_tag,
      l.key_concurrency
    from queue q join org o on o.id = q.org_id left join queue_limit l on l.queue_id = q.id
    where true ${andOfOrgs(sql, sql`q.org_id`, orgs)} ${beyond} ${one}
    order by q.name, o.name limit ${limit}`) as unknown as QueueRow[];
  const [counts, latencies] = await Promise.all([countByQueue(sql, orgs), readLatencies(sql)]);
  return rows.map((row) => ({
    id: row.id,
    org: row.org,
    name: row.name,
    description: row.description,
    pending: pendingOf(counts.get(row.id)),
    running: runningOf(counts.get(row.id)),
    latency_seconds: latencies.get(row.id) ?? 0,
    paused_at: row.paused_at?.toISOString() ?? null,
    paused_by: row.paused_by,
    pause_reason: row.pause_reason,
    stopping: row.stopping,
    limits: anyOf(limitsOf(row)),
  }));
}

function anyOf(limits: Limits): Limits | null {
  const { concurrency, rate, per_key } = limits;
  return concurrency === null && rate === null && per_key === null ? null : limits;
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
