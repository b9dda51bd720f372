/**
 * Answers to requests that carried an `Idempotency-Key`, one row a (caller, key). A row has a status and
 * an answer to replay; or only an answer, which is then a receipt: the work is committed, and what to
 * answer can be made from it again; or neither: the request is being worked on.
 *
 * Locks: the one row, after everything else that its transaction locks. Times are the database's.
 */
import type { Sql, Transaction } from "../client.ts";

/** How long an answer is kept (contract). */
export const KEPT = "interval '24 hours'";

export interface KeyRow {
  hash: string;
  status: number | null;
  answer: unknown;
}

export interface KeyName {
  caller: string;
  key: string;
  hash: string;
}

const prepared = { prepare: true };

const SIGN = `
insert into idempotency_key (caller, key, request_hash, answer) values ($1, $2, $3, $4::text::json)
on conflict (caller, key) do update
  set request_hash = excluded.request_hash, answer = excluded.answer, status = null,
    created_at = now()
  where idempotency_key.created_at < now() - ${KEPT}`;

/**
 * In the transaction that does the work. False where the key has a row: roll back. Waits for another
 * transaction that is writing it just now.
 */
export async function insertReceipt(
  tx: Transaction,
  { caller, key, hash }: KeyName,
  receipt: unknown,
): Promise<boolean> {
  const text = JSON.stringify(receipt);
  return (await tx.unsafe(SIGN, [caller, key, hash, text], prepared)).count > 0;
}

const CLAIM = `
insert into idempotency_key (caller, key, request_hash) values ($1, $2, $3)
on conflict (caller, key) do update
  set request_hash = excluded.request_hash, status = null, answer = null, created_at = now()
  where idempotency_key.created_at < now() - ${KEPT}
    or (idempotency_key.status is null and idempotency_key.answer is null
        and idempotency_key.request_hash = excluded.request_hash
        and idempotency_key.created_at < now() - make_interval(secs => $4))`;

/**
 * Before work that leaves no receipt. True where the key is now the caller's to answer: it is new,
 * too old, or whoever claimed it has not answered for `abandonedSeconds`.
 */
export async function claimKey(sql: Sql, name: KeyName, abandonedSeconds: number) {
  const { caller, key, hash } = name;
  return (await sql.unsafe(CLAIM, [caller, key, hash, abandonedSeconds], prepared)).count > 0;
}

const READ = `
select request_hash as hash, status, answer from idempotency_key
where caller = $1 and key = $2 and created_at >= now() - ${KEPT}`;

export async function readKey(sql: Sql, { caller, key }: KeyName): Promise<KeyRow | null> {
  const rows = await sql.unsafe(READ, [caller, key], prepared);
  return (rows[0] as unknown as KeyRow) ?? null;
}

const KEEP = `
update idempotency_key set status = $4, answer = $5::text::json
where caller = $1 and key = $2 and request_hash = $3 and status is null`;

/** The first answer stays. */
export async function keepAnswer(sql: Sql, name: KeyName, status: number, answer: string) {
  await sql.unsafe(KEEP, [name.caller, name.key, name.hash, status, answer], prepared);
}

const RELEASE = `
delete from idempotency_key
where caller = $1 and key = $2 and request_hash = $3 and status is null and answer is null`;

/** Nothing was done: the next one with this key may try. */
export async function releaseKey(sql: Sql, { caller, key, hash }: KeyName) {
  await sql.unsafe(RELEASE, [caller, key, hash], prepared);
}

const PRUNE = `
delete from idempotency_key where ctid = any(array(
  select ctid from idempotency_key where created_at < now() - ${KEPT} limit $1
))`;

/** Removes up to `limit` that are too old to be replayed; how many went. Reads the whole table. */
export async function pruneKeys(sql: Sql, limit: number): Promise<number> {
  return (await sql.unsafe(PRUNE, [limit], prepared)).count;
}
