/** Which channels were told that an alert fires, and when last. Times travel as epoch milliseconds. */
import type { Sql, Transaction } from "../../client.ts";
import { rowSource } from "../../row_source.ts";

const prepared = { prepare: true };

export interface ToldRow {
  alert: string;
  channel: string;
  at: number;
}

/** Of these alerts, all channels. */
export async function readTold(
  sql: Sql | Transaction,
  alerts: readonly string[],
): Promise<ToldRow[]> {
  const rows = await sql.unsafe(
    `select alert_id as alert, channel_id as channel, extract(epoch from told_at)::float8 * 1000 as at
     from alert_told where alert_id = any($1::uuid[])`,
    [`{${alerts.join()}}`],
    prepared,
  );
  return rows as unknown as ToldRow[];
}

const ROWS = rowSource<ToldRow>("t", [
  ["alert_id", "uuid", (row) => row.alert],
  ["channel_id", "uuid", (row) => row.channel],
  ["at", "seconds", (row) => row.at],
]);

/** Channels that are there still. */
export async function writeTold(tx: Transaction, rows: readonly ToldRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.unsafe(
    `insert into alert_told (alert_id, channel_id, told_at)
     select t.alert_id, t.channel_id, to_timestamp(t.at) from ${ROWS.sql}
     join alert_channel c on c.id = t.channel_id order by 1, 2
     on conflict (alert_id, channel_id) do update set told_at = excluded.told_at`,
    ROWS.params(rows),
    prepared,
  );
}
