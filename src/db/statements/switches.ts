/** Queues that are paused, stopped or limited, and the instance's draining switch. */

import { plainArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import { ALIVE } from "./replicas.ts";

const prepared = { prepare: true };

export interface QueueSwitch {
  id: number;
  paused_ms: number | null;
  paused_by: string | null;
  pause_reason: string | null;
  stop_below: string | null;
  concurrency: number | null;
  rate_count: number | null;
  rate_seconds: number | null;
  key_tag: string | null;
  key_concurrency: number | null;
  tokens: number | null;
}

export interface DrainingSwitch {
  enabled: boolean;
  by: string | null;
  at_ms: number;
  reason: string | null;
}

const NOT_DRAINING: DrainingSwitch = { enabled: false, by: null, at_ms: 0, reason: null };

/** Only queues that differ from a plain one. */
export async function readSwitches(
  sql: Sql,
): Promise<{ queues: QueueSwitch[]; draining: DrainingSwitch }> {
  const queues = await sql.unsafe(
    `select q.id, extract(epoch from q.paused_at)::float8 * 1000 as paused_ms, q.paused_by,
       q.pause_reason, q.stop_below, l.concurrency, l.rate_count, l.rate_seconds, l.key_tag,
       l.key_concurrency, l.tokens
     from queue q left join queue_limit l on l.queue_id = q.id
     where q.paused_at is not null or q.stop_below is not null or l.queue_id is not null`,
    [],
    prepared,
  );
  const [draining] = await sql.unsafe(
    `select value = 'true'::jsonb as enabled, changed_by as by, reason,
       extract(epoch from changed_at)::float8 * 1000 as at_ms
     from setting where key = 'draining'`,
    [],
    prepared,
  );
  return {
    queues: queues as unknown as QueueSwitch[],
    draining: (draining as unknown as DrainingSwitch) ?? NOT_DRAINING,
  };
}

/** The row that every lease locks shared must exist before the first lease. */
export async function ensureDrainingRow(sql: Sql): Promise<void> {
  await sql.unsafe(
    `insert into setting (key, value) values ('draining', 'false') on conflict (key) do nothing`,
  );
}

/**
 * Waits for leases in flight: they hold the row shared (engine rule 30). Null: it was so already; else by
 * whom and why it was as it was before.
 */
export async function setDraining(
  tx: Transaction,
  enabled: boolean,
  actor: string,
  reason: string | null,
): Promise<Pick<DrainingSwitch, "by" | "reason"> | null> {
  const [was] = await tx.unsafe(
    `select changed_by as by, reason from setting
     where key = 'draining' and value <> to_jsonb($1::boolean) for update`,
    [enabled],
    prepared,
  );
  if (was === undefined) return null;
  await tx.unsafe(
    `update setting set value = to_jsonb($1::boolean), changed_at = now(), changed_by = $2, reason = $3
     where key = 'draining'`,
    [enabled, actor, reason],
    prepared,
  );
  return was as unknown as Pick<DrainingSwitch, "by" | "reason">;
}

/** What a server that starts must know to end a draining that nobody is left to end. */
export interface DrainingLeft {
  /** It is on, and was switched on before this server started. */
  left: boolean;
  /** Another server was there before this one, and still is. */
  others: boolean;
  /** Another server may be there: it has died a moment ago, or has not been heard since. */
  unsure: boolean;
}

/** Locks the switch. The server's own row must be there. */
export async function lookAtDraining(tx: Transaction, replica: string): Promise<DrainingLeft> {
  const [row] = await tx.unsafe(
    `with me as (select started_at from replica where id = $1),
     switch as materialized (
       select changed_at from setting where key = 'draining' and value = 'true'::jsonb for update),
     others as (
       select r.seen_at > me.started_at as heard, r.seen_at > now() - ${ALIVE} as fresh
       from replica r, me where r.id <> $1 and r.started_at < me.started_at)
     select exists (select from switch, me where switch.changed_at < me.started_at) as left,
       exists (select from others where heard and fresh) as others,
       exists (select from others where fresh) as unsure`,
    [replica],
    prepared,
  );
  return row as unknown as DrainingLeft;
}

/**
 * Waits for leases in flight on this queue, so the answer is true when it is given. False: it was
 * paused already, and stays so in the name of whoever did it.
 */
export async function pauseQueue(
  tx: Transaction,
  queue: number,
  actor: string,
  reason: string | null,
): Promise<boolean> {
  const rows = await tx.unsafe(
    `update queue set paused_at = now(), paused_by = $2, pause_reason = $3
     where id = $1 and paused_at is null returning id`,
    [queue, actor, reason],
    prepared,
  );
  return rows.length > 0;
}

/** How a queue was paused. */
export interface Pause {
  paused_by: string | null;
  pause_reason: string | null;
}

/** Null: it was not paused. */
export async function resumeQueue(tx: Transaction, queue: number): Promise<Pause | null> {
  const [row] = await tx.unsafe(
    `select paused_by, pause_reason from queue where id = $1 and paused_at is not null
     for no key update`,
    [queue],
    prepared,
  );
  if (row === undefined) return null;
  await tx.unsafe(
    `update queue set paused_at = null, paused_by = null, pause_reason = null where id = $1`,
    [queue],
    prepared,
  );
  return row as unknown as Pause;
}

export interface QueueRoom {
  queue: number;
  /** Leases that may still be given now; null: no limit. */
  room: number | null;
  /** Of each value of this tag so many leases may be held. */
  key: { tag: string; concurrency: number } | null;
}

const ROOM = `
select l.queue_id as queue, l.concurrency, l.rate_count, l.key_tag, l.key_concurrency,
  least(l.rate_count, l.tokens + l.rate_count * greatest(0, extract(epoch from now() - l.refilled_at))
    / nullif(l.rate_seconds, 0))::float8 as tokens,
  (select count(*) from leased_job j where j.queue_id = l.queue_id)::int as held
from queue_limit l where l.queue_id = any($1::int[]) order by l.queue_id`;

/** Locks the limits of these queues and says how many leases each can still give (rule 23). */
export async function lockLimits(tx: Transaction, queues: number[]): Promise<QueueRoom[]> {
  // Locked first and counted next: in one statement, the count would show what was before the wait.
  await tx.unsafe(
    `select 1 from queue_limit where queue_id = any($1::int[]) order by queue_id for update`,
    [plainArray(queues)],
    prepared,
  );
  const rows = await tx.unsafe(ROOM, [plainArray(queues)], prepared);
  return rows.map((r) => {
    const byCount = r.concurrency === null ? null : Math.max(0, r.concurrency - r.held);
    const byRate = r.rate_count === null ? null : Math.max(0, Math.floor(r.tokens ?? 0));
    const room = byCount === null ? byRate : byRate === null ? byCount : Math.min(byCount, byRate);
    const isKeyed = r.key_tag !== null && r.key_concurrency !== null;
    const key = isKeyed ? { tag: r.key_tag, concurrency: r.key_concurrency } : null;
    return { queue: r.queue as number, room, key };
  });
}

/** Takes the tokens that were spent, after refilling by database time. */
export async function spendTokens(
  tx: Transaction,
  spent: { queue: number; n: number }[],
): Promise<void> {
  if (spent.length === 0) return;
  await tx.unsafe(
    `update queue_limit l set refilled_at = greatest(l.refilled_at, now()),
       tokens = least(l.rate_count, l.tokens + l.rate_count * greatest(0, extract(epoch from now() - l.refilled_at))
         / nullif(l.rate_seconds, 0)) - t.n
     from unnest($1::int[], $2::int[]) as t(queue, n)
     where l.queue_id = t.queue and l.rate_count is not null`,
    [plainArray(spent.map((s) => s.queue)), plainArray(spent.map((s) => s.n))],
    prepared,
  );
}
