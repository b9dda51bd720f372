/** Rows of worker tokens. Secrets never come here, only their hashes. */
import type { Sql, Transaction } from "../client.ts";

const prepared = { prepare: true };

/** What a worker may offer at most; null: anything. */
export interface WorkerCeiling {
  pool: string | null;
  features: string[] | null;
  kinds: string[] | null;
  slots_max: number | null;
}

export interface NewWorkerToken extends WorkerCeiling {
  id: string;
  name: string;
  hash: Uint8Array;
  hint: string;
  /** Null: of the fleet that all organizations share. */
  org: number | null;
  createdBy: string;
  expiresAt: Date | null;
}

export interface WorkerTokenRow extends WorkerCeiling {
  id: string;
  name: string;
  hint: string;
  org_id: number | null;
  created_at: Date;
  created_by: string;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

const COLUMNS = `id, name, hint, org_id, pool, features, kinds, slots_max, created_at, created_by,
  expires_at, revoked_at, last_used_at`;

const INSERT = `
insert into worker_token (id, name, hash, hint, org_id, pool, features, kinds, slots_max, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning ${COLUMNS}`;

export async function insertWorkerToken(
  tx: Transaction,
  token: NewWorkerToken,
): Promise<WorkerTokenRow> {
  const { id, name, hash, hint, org, pool, features, kinds, slots_max, createdBy } = token;
  const values = [id, name, hash, hint, org, pool, features, kinds, slots_max, createdBy];
  const [row] = await tx.unsafe(INSERT, [...values, token.expiresAt], prepared);
  return row as unknown as WorkerTokenRow;
}

const REVOKE = `
update worker_token set revoked_at = now()
where id = $1 and org_id is not distinct from $2::int and revoked_at is null returning ${COLUMNS}`;

/** The row as it is now; undefined where there is none, or it was revoked before. */
export async function revokeWorkerToken(
  tx: Transaction,
  org: number | null,
  id: string,
): Promise<WorkerTokenRow | undefined> {
  const [row] = await tx.unsafe(REVOKE, [id, org], prepared);
  return row as unknown as WorkerTokenRow | undefined;
}

const FIND = `select ${COLUMNS} from worker_token`;

export async function workerTokenById(
  sql: Sql | Transaction,
  org: number | null,
  id: string,
): Promise<WorkerTokenRow | undefined> {
  const where = "where id = $1 and org_id is not distinct from $2::int";
  const [row] = await sql.unsafe(`${FIND} ${where}`, [id, org], prepared);
  return row as unknown as WorkerTokenRow | undefined;
}

export async function workerTokenByHash(
  sql: Sql,
  hash: Uint8Array,
): Promise<WorkerTokenRow | undefined> {
  const [row] = await sql.unsafe(`${FIND} where hash = $1`, [hash], prepared);
  return row as unknown as WorkerTokenRow | undefined;
}

/** Newest first, from before the id `before`; of an organization, or (null) of the shared fleet. */
export async function listWorkerTokens(
  sql: Sql,
  org: number | null,
  { before, limit }: { before: string | null; limit: number },
): Promise<WorkerTokenRow[]> {
  const rows = await sql.unsafe(
    `${FIND} where ${org === null ? "org_id is null and $1::int is null" : "org_id = $1"}
       and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [org, before, limit],
    prepared,
  );
  return rows as unknown as WorkerTokenRow[];
}
