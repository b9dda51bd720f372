/** Rows of API tokens. Secrets never come here, only their hashes. */
import type { Role } from "../../core/scope.ts";
import type { Sql, Transaction } from "../client.ts";

const prepared = { prepare: true };

export interface NewApiToken {
  id: string;
  name: string;
  hash: Uint8Array;
  hint: string;
  person: string | null;
  org: number | null;
  role: Role | null;
  purpose: "api" | "metrics";
  createdBy: string;
  expiresAt: Date | null;
}

export interface ApiTokenRow {
  id: string;
  name: string;
  hint: string;
  person_id: string | null;
  /** Of its owner; null where it is nobody's. */
  person: string | null;
  org_id: number | null;
  role: Role | null;
  purpose: "api" | "metrics";
  created_at: Date;
  created_by: string;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

const COLUMNS = `t.id, t.name, t.hint, t.person_id, p.name as person, t.org_id, t.role, t.purpose,
  t.created_at, t.created_by, t.expires_at, t.revoked_at, t.last_used_at`;

const INSERT = `
with t as (
  insert into api_token (id, name, hash, hint, person_id, org_id, role, purpose, created_by, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *)
select ${COLUMNS} from t left join person p on p.id = t.person_id`;

export async function insertApiToken(tx: Transaction, token: NewApiToken): Promise<ApiTokenRow> {
  const { id, name, hash, hint, person, org, role, purpose, createdBy, expiresAt } = token;
  const values = [id, name, hash, hint, person, org, role, purpose, createdBy, expiresAt];
  const [row] = await tx.unsafe(INSERT, values, prepared);
  return row as unknown as ApiTokenRow;
}

const REVOKE = `
with t as (
  update api_token set revoked_at = now() where id = $1 and org_id = $2 and revoked_at is null
  returning *)
select ${COLUMNS} from t left join person p on p.id = t.person_id`;

/** The row as it is now; undefined where there is none, or it was revoked before. */
export async function revokeApiToken(
  tx: Transaction,
  org: number,
  id: string,
): Promise<ApiTokenRow | undefined> {
  const [row] = await tx.unsafe(REVOKE, [id, org], prepared);
  return row as unknown as ApiTokenRow | undefined;
}

const FIND = `select ${COLUMNS} from api_token t left join person p on p.id = t.person_id`;

export async function apiTokenById(
  sql: Sql | Transaction,
  org: number | "any",
  id: string,
): Promise<ApiTokenRow | undefined> {
  const where = "where t.id = $1 and ($2::int is null or t.org_id = $2)";
  const values = [id, org === "any" ? null : org];
  const [row] = await sql.unsafe(`${FIND} ${where}`, values, prepared);
  return row as unknown as ApiTokenRow | undefined;
}

export async function apiTokenByHash(sql: Sql, hash: Uint8Array): Promise<ApiTokenRow | undefined> {
  const [row] = await sql.unsafe(`${FIND} where t.hash = $1`, [hash], prepared);
  return row as unknown as ApiTokenRow | undefined;
}

/** Newest first, from before the id `before`. */
export async function listApiTokens(
  sql: Sql,
  org: number,
  { before, limit }: { before: string | null; limit: number },
): Promise<ApiTokenRow[]> {
  const rows = await sql.unsafe(
    `${FIND} where t.org_id = $1 and ($2::uuid is null or t.id < $2) order by t.id desc limit $3`,
    [org, before, limit],
    prepared,
  );
  return rows as unknown as ApiTokenRow[];
}
