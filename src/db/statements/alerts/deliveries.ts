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

export interface DueDelivery {
  id: string;
  channel_id: string;
  /** As it was written. */
  message: string;
  /** With the one that begins now. */
  attempts: number;
  created_ms: number;
}

/**
 * Takes some that are due, for `leaseSeconds`: whoever dies in a try leaves them to be tried again. By database
 * time. Of one channel no two at once.
 */
export async function takeDeliveries(
  sql: Sql,
  leaseSeconds: number,
  limit: number,
): Promise<DueDelivery[]> {
  const rows = await sql.unsafe(
    `with due as (
       select id from alert_delivery d where state = 'waiting' and next_try_at <= now()
       order by next_try_at, id limit $2 for update skip locked)
     update alert_delivery d set attempts = d.attempts + 1,
       next_try_at = now() + make_interval(secs => $1)
     where d.id = any(array(select id from due))
     returning d.id, d.channel_id, d.message::text as message, d.attempts,
       extract(epoch from d.created_at)::float8 * 1000 as created_ms`,
    [leaseSeconds, limit],
    prepared,
  );
  return rows as unknown as DueDelivery[];
}

/** Only of the try that it tells of: another server may have begun the next. */
export async function endDelivery(
  sql: Sql,
  { id, attempts }: Pick<DueDelivery, "id" | "attempts">,
  end: { state: "delivered" | "given_up"; error: string | null },
): Promise<void> {
  await sql.unsafe(
    `update alert_delivery set state = $3, ended_at = now(), last_error = $4
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
    `update alert_delivery set next_try_at = now() + make_interval(secs => $3::float8 / 1000), last_error = $4
     where id = $1 and attempts = $2 and state = 'waiting'`,
    [id, attempts, afterMs, error],
    prepared,
  );
}

/** Milliseconds until one is due; null where none waits. */
export async function nextDelivery(sql: Sql): Promise<number | null> {
  const [row] = await sql.unsafe(
    `select greatest(0, extract(epoch from next_try_at - now()))::float8 * 1000 as ms from alert_delivery
     where state = 'waiting' order by next_try_at limit 1`,
    [],
    prepared,
  );
  return (row?.ms as number | undefined) ?? null;
}
