/** Rows of the audit log, written in the transaction of the change that they tell of. */
import type { Author } from "../../core/author.ts";
import type { Sql, Transaction } from "../client.ts";
import { rowSource } from "../row_source.ts";

export interface AuditEntry {
  /** Null: of the whole instance. */
  org: number | null;
  author: Author;
  /** Thing and verb, such as `queue.pause`. */
  action: string;
  objectKind: string;
  objectId: string;
  reason?: string | null;
  /** Rows that it changed, where they are many. */
  affected?: number | null;
  before?: unknown;
  after?: unknown;
}

const rows = rowSource<AuditEntry>("e", [
  ["org", "int", (e) => e.org],
  ["actor", "text", (e) => e.author.name],
  ["person", "text", (e) => e.author.user],
  ["token", "text", (e) => e.author.token],
  ["address", "text", (e) => e.author.address],
  ["action", "text", (e) => e.action],
  ["kind", "text", (e) => e.objectKind],
  ["object", "text", (e) => e.objectId],
  ["reason", "text", (e) => e.reason ?? null],
  ["affected", "bigint", (e) => e.affected ?? null],
  ["before", "json", (e) => e.before ?? null],
  ["after", "json", (e) => e.after ?? null],
]);

export async function writeAudit(
  sql: Sql | Transaction,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await sql.unsafe(
    `insert into audit_log (org_id, actor, person_id, token_id, address, action, object_kind, object_id,
       reason, affected, before, after)
     select org, actor, person, token, address, action, kind, object, reason, affected,
       before::jsonb, after::jsonb
     from ${rows.sql}`,
    rows.params(entries),
  );
}
