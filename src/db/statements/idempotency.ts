/**
 * Answers to requests that carried an `Idempotency-Key`. One row a (caller, key); `status` is null
 * while the first of them is being worked on.
 *
 * Locks: the one row. Times are the database's.
 */
import type { Sql } from "../client.ts";

/** How long an answer is kept (contract). */
const KEPT = "24 hours";

export interface KeptAnswer {
  hash: string;
  /** Null: still in work. */
  status: number | null;
  answer: unknown;
  ageMs: number;
}

const prepared = { prepare: true };

const CLAIM = `
insert into idempotency_key (caller, key, request_hash) values ($1, $2, $3)
on conflict (caller, key) do update
  set request_hash = excluded.request_hash, status = null, answer = null, created_at = now()
  where idempotency_key.created_at < now() - interval '${KEPT}'
returning true as mine`;

/** True where the key is now the caller's to answer; false where it was taken. */
export async function claimKey(sql: Sql, caller: string, key: string, hash: string) {
  return (await sql.unsafe(CLAIM, [caller, key, hash], prepared)).length > 0;
}

const READ = `
select request_hash as hash, status, answer,
  extract(epoch from now() - created_at)::float8 * 1000 as "ageMs"
from idempotency_key where caller = $1 and key = $2`;

export async function readKey(sql: Sql, caller: string, key: string): Promise<KeptAnswer | null> {
  const rows = await sql.unsafe(READ, [caller, key], prepared);
  return (rows[0] as unknown as KeptAnswer) ?? null;
}

const KEEP = `
update idempotency_key set status = $4, answer = $5::text::json
where caller = $1 and key = $2 and request_hash = $3`;

export async function keepAnswer(
  sql: Sql,
  caller: string,
  key: string,
  hash: string,
  status: number,
  answer: string,
) {
  await sql.unsafe(KEEP, [caller, key, hash, status, answer], prepared);
}

const RELEASE = `
delete from idempotency_key
where caller = $1 and key = $2 and request_hash = $3 and status is null`;

/** Nothing was done: the next one with this key may try. */
export async function releaseKey(sql: Sql, caller: string, key: string, hash: string) {
  await sql.unsafe(RELEASE, [caller, key, hash], prepared);
}

const PRUNE = `
delete from idempotency_key where ctid = any(array(
  select ctid from idempotency_key where created_at < now() - interval '${KEPT}' limit $1
))`;

/** Removes up to `limit` that are too old to be replayed; how many went. Reads the whole table. */
export async function pruneKeys(sql: Sql, limit: number): Promise<number> {
  return (await sql.unsafe(PRUNE, [limit], prepared)).count;
}
