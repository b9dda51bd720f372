/** Channels: where alerts are told. */
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };
const AT = (n: number) => `to_timestamp($${n}::float8 / 1000)`;

export interface ChannelColumns {
  name: string;
  kind: "webhook" | "slack" | "email";
  severity: "warning" | "critical";
  url: string | null;
  addresses: string[] | null;
  secret: string | null;
  may_be_private: boolean;
  enabled: boolean;
}

export interface ChannelRow extends ChannelColumns {
  id: string;
  org_id: number | null;
}

const READ = `select id, org_id, name, kind, severity, url, to_json(addresses) as addresses, secret,
  may_be_private, enabled from alert_channel`;

/** Those that are told anything. */
export async function readOpenChannels(sql: Sql | Transaction): Promise<ChannelRow[]> {
  const rows = await sql.unsafe(`${READ} where enabled order by id limit 10000`, [], prepared);
  return rows as unknown as ChannelRow[];
}

export async function readChannel(sql: Sql | Transaction, id: string): Promise<ChannelRow | null> {
  const [row] = await sql.unsafe(`${READ} where id = $1`, [id], prepared);
  return (row as unknown as ChannelRow | undefined) ?? null;
}

export async function lockChannel(tx: Transaction, id: string): Promise<ChannelRow | null> {
  const [row] = await tx.unsafe(`${READ} where id = $1 for no key update`, [id], prepared);
  return (row as unknown as ChannelRow | undefined) ?? null;
}

/** How many an organization, or (null) the instance has. */
export async function countChannels(tx: Transaction, org: number | null): Promise<number> {
  const rows = await tx.unsafe(
    `select id from alert_channel where org_id is not distinct from $1::int limit 1000`,
    [org],
    prepared,
  );
  return rows.length;
}

const columns = (c: ChannelColumns) => [
  ...[c.name, c.kind, c.severity, c.url, c.addresses === null ? null : JSON.stringify(c.addresses)],
  ...[c.secret, c.may_be_private, c.enabled],
];
const ADDRESSES = `case when $5::text is not null then array(select json_array_elements_text($5::text::json)) end`;

/** False where there is one of that name. */
export async function insertChannel(
  tx: Transaction,
  channel: ChannelRow,
  { at, by }: { at: number; by: string },
): Promise<boolean> {
  const rows = await tx.unsafe(
    `insert into alert_channel (name, kind, severity, url, addresses, secret, may_be_private, enabled, id, org_id,
       created_at, created_by, updated_at, updated_by)
     values ($1, $2, $3, $4, ${ADDRESSES}, $6, $7, $8, $9, $10, ${AT(11)}, $12, ${AT(11)}, $12)
     on conflict (org_id, name) do nothing returning id`,
    [...columns(channel), channel.id, channel.org_id, at, by],
    prepared,
  );
  return rows.length > 0;
}

export async function changeChannel(
  tx: Transaction,
  channel: ChannelRow,
  { at, by }: { at: number; by: string },
): Promise<void> {
  await tx.unsafe(
    `update alert_channel set name = $1, kind = $2, severity = $3, url = $4, addresses = ${ADDRESSES}, secret = $6,
       may_be_private = $7, enabled = $8, updated_at = ${AT(10)}, updated_by = $11 where id = $9`,
    [...columns(channel), channel.id, at, by],
    prepared,
  );
}

export async function isChannelNameTaken(
  tx: Transaction,
  { org_id, name, id }: Pick<ChannelRow, "org_id" | "name" | "id">,
): Promise<boolean> {
  const rows = await tx.unsafe(
    `select from alert_channel where org_id is not distinct from $1::int and name = $2 and id <> $3`,
    [org_id, name, id],
    prepared,
  );
  return rows.length > 0;
}

/** What waits to be told to it is forgotten with it. */
export async function removeChannel(tx: Transaction, id: string): Promise<void> {
  await tx.unsafe(`delete from alert_channel where id = $1`, [id], prepared);
}
