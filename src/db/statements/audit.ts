/** The audit log: who changed what, written in the transaction of the change. */
import type { Author } from "../../core/author.ts";
import { jsonArray, plainArray, textArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";

export interface AuditEntry {
  /** Null: of the whole instance. */
  org: number | null;
  author: Author;
  /** Thing and verb: `token.revoke`. */
  action: string;
  objectKind: string;
  objectId: string;
  reason?: string | null;
  affected?: number | null;
  before?: unknown;
  after?: unknown;
}

const WRITE = `
insert into audit_log (org_id, actor, person_id, token_id, address, action, object_kind, object_id,
  reason, affected, before, after)
select * from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
  $8::text[], $9::text[], $10::bigint[], $11::text[]::jsonb[], $12::text[]::jsonb[])`;

export async function writeAudit(
  sql: Sql | Transaction,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await sql.unsafe(
    WRITE,
    [
      plainArray(entries.map((e) => e.org)),
      textArray(entries.map((e) => e.author.name)),
      textArray(entries.map((e) => e.author.user)),
      textArray(entries.map((e) => e.author.token)),
      textArray(entries.map((e) => e.author.address)),
      textArray(entries.map((e) => e.action)),
      textArray(entries.map((e) => e.objectKind)),
      textArray(entries.map((e) => e.objectId)),
      textArray(entries.map((e) => e.reason)),
      plainArray(entries.map((e) => e.affected)),
      jsonArray(entries.map((e) => e.before)),
      jsonArray(entries.map((e) => e.after)),
    ],
    { prepare: true },
  );
}
