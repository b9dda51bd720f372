/** Queues with their counts, and how long the oldest of them has waited. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { countByQueue, pendingOf, runningOf } from "../../db/job_counts.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import {
  type LimitColumns,
  type Limits,
  limitsOf,
} from "../../db/statements/operating/queue_settings.ts";
import { type Latencies, readLatencies } from "./latencies.ts";

export interface ServiceQueue {
  id: number;
  org: string;
  name: string;
  description: string;
  /** Jobs that wait, for whatever. */
  pending: number;
  /** Jobs that a worker holds. */
  running: number;
  /** Since when its oldest ready job waits; 0 where none is ready. */
  latency_seconds: number;
  /** It is at least so long: not all that are older were looked at. */
  latency_is_least: boolean;
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
    ...latencyOf(latencies, row.id, counts.get(row.id)?.ready ?? 0),
    id: row.id,
    org: row.org,
    name: row.name,
    description: row.description,
    pending: pendingOf(counts.get(row.id)),
    running: runningOf(counts.get(row.id)),
    paused_at: row.paused_at?.toISOString() ?? null,
    paused_by: row.paused_by,
    pause_reason: row.pause_reason,
    stopping: row.stopping,
    limits: anyOf(limitsOf(row)),
  }));
}

function latencyOf({ byQueue, wasCut }: Latencies, queue: number, ready: number) {
  const found = byQueue.get(queue) ?? { seconds: 0, isLeast: wasCut && ready > 0 };
  return { latency_seconds: found.seconds, latency_is_least: found.isLeast };
}

function anyOf(limits: Limits): Limits | null {
  const { concurrency, rate, per_key } = limits;
  return concurrency === null && rate === null && per_key === null ? null : limits;
}
