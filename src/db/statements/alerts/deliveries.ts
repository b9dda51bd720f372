/** Messages to channels: written with what they tell, taken, tried, ended. */
import type { Sql, Transaction } from "../../client.ts";
import { rowSource } from "../../row_source.ts";

const prepared = { prepare: true };

export interface NewDelivery {
  id: string;
  channel: string;
  message: object;
  at: number;
}

const ROWS = rowSource<NewDelivery>("d", [
  ["id", "uuid", (d) => d.id],
  ["channel_id", "uuid", (d) => d.channel],
  ["message", "json", (d) => d.message],
  ["at", "seconds", (d) => d.at],
]);

/** To channels that are there still. */
export async function insertDeliveries(
  tx: Transaction,
  rows: readonly NewDelivery[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.unsafe(
    `insert into alert_delivery (id, channel_id, message, state, attempts, created_at, next_try_at)
     select d.id, d.channel_id, d.message::json, 'waiting', 0, to_timestamp(d.at), to_timestamp(d.at)
     from ${ROWS.sql} join alert_channel c on c.id = d.channel_id`,
    ROWS.params(rows),
    prepared,
  );
}

const DUE = `
with due as (
  select channel_id, min(next_try_at) as at from alert_delivery where state = 'waiting' group by channel_id
  having min(next_try_at) <= now() and coalesce(max(taken_until) <= now(), true)),
placed as (
  select due.*, coalesce(b.n, 0) + row_number() over (partition by c.org_id order by due.at, c.id) as place
  from due join alert_channel c on c.id = due.channel_id
  left join unnest($1::int[], $2::int[]) as b(org, n) on b.org = coalesce(c.org_id, 0))
select id, coalesce(org_id, 0) as org from alert_channel
where id = any(array(select channel_id from placed where place <= $3 order by at limit $4))
order by id for no key update skip locked`;

export interface Room {
  /** Channels at most, and of one organization those that it has already included. */
  limit: number;
  each: number;
  /** By organization, 0 being the instance: how many of its channels are being told something. */
  busy: ReadonlyMap<number, number>;
}

export interface DueChannel {
  id: string;
  /** 0: of the instance. */
  org: number;
}

/**
 * Channels for which something is due and which nobody is telling anything. They stay locked: nobody else takes of
 * them until the transaction ends. By database time.
 */
export async function lockDueChannels(
  tx: Transaction,
  { limit, each, busy }: Room,
): Promise<DueChannel[]> {
  const params = [`{${[...busy.keys()].join()}}`, `{${[...busy.values()].join()}}`, each, limit];
  return (await tx.unsafe(DUE, params, prepared)) as unknown as DueChannel[];
}

export interface WaitingDelivery {
  id: string;
  channel_id: string;
  /** As it was written. */
  message: string;
  attempts: number;
  created_ms: number;
  is_taken: boolean;
}

/** All that waits for these channels, the oldest first. */
export async function readWaiting(
  tx: Transaction,
  channels: readonly string[],
): Promise<WaitingDelivery[]> {
  const rows = await tx.unsafe(
    `select id, channel_id, message::text as message, attempts, coalesce(taken_until > now(), false) as is_taken,
       extract(epoch from created_at)::float8 * 1000 as created_ms
     from alert_delivery where state = 'waiting' and channel_id = any($1::uuid[]) order by created_at, id`,
    [`{${channels.join()}}`],
    prepared,
  );
  return rows as unknown as WaitingDelivery[];
}

export type DueDelivery = Omit<WaitingDelivery, "is_taken">;

/** For `leaseSeconds`: whoever dies in a try leaves it to be tried again. `attempts`: with the one that begins. */
export async function takeDelivery(
  tx: Transaction,
  { id, message, attempts }: DueDelivery,
  leaseSeconds: number,
): Promise<void> {
  await tx.unsafe(
    `update alert_delivery set message = $2::text::json, attempts = $3,
       taken_until = clock_timestamp() + make_interval(secs => $4)
     where id = $1`,
    [id, message, attempts, leaseSeconds],
    prepared,
  );
}

/** What they say goes into another. */
export async function replaceDeliveries(tx: Transaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.unsafe(
    `update alert_delivery set state = 'replaced', ended_at = now(), taken_until = null
     where id = any($1::uuid[])`,
    [`{${ids.join()}}`],
    prepared,
  );
}

/** Only of the try that it tells of: another server may have begun the next. */
export async function endDelivery(
  sql: Sql,
  { id, attempts }: Pick<DueDelivery, "id" | "attempts">,
  end: { state: "delivered" | "given_up"; error: string | null },
): Promise<void> {
  await sql.unsafe(
    `update alert_delivery set state = $3, ended_at = now(), last_error = $4, taken_until = null
     where id = $1 and attempts = $2 and state = 'waiting'`,
    [id, attempts, end.state, end.error],
    prepared,
  );
}

export async function postponeDelivery(
  sql: Sql,
  { id, attempts }: Pick<DueDelivery, "id" | "attempts">,
  { afterMs, error }: { afterMs: number; error: string },
): Promise<void> {
  await sql.unsafe(
    `update alert_delivery set next_try_at = now() + make_interval(secs => $3::float8 / 1000), last_error = $4,
       taken_until = null
     where id = $1 and attempts = $2 and state = 'waiting'`,
    [id, attempts, afterMs, error],
    prepared,
  );
}

/** Milliseconds until something is due for a channel; null where nothing waits. */
export async function nextDelivery(sql: Sql): Promise<number | null> {
  const [row] = await sql.unsafe(
    `select greatest(0, extract(epoch from min(at) - now()))::float8 * 1000 as ms from (
       select greatest(min(next_try_at), max(taken_until)) as at from alert_delivery
       where state = 'waiting' group by channel_id) due`,
    [],
    prepared,
  );
  return (row?.ms as number | undefined) ?? null;
}
