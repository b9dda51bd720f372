/** The audit log: who changed what, written in the transaction of the change. Append-only. */
import type { Author } from "../../core/author.ts";
import type { Sql, Transaction } from "../client.ts";
import { rowSource } from "../row_source.ts";

export interface AuditEntry {
  /** Null: of the whole instance. */
  org: number | null;
  author: Author;
  /** Thing and verb: `queue.pause`. */
  action: string;
  objectKind: string;
  objectId: string;
  reason?: string | null;
  /** Rows that it changed, where they are many. */
  affected?: number | null;
  before?: unknown;
  after?: unknown;
}

const ENTRIES = rowSource<AuditEntry>("e", [
  ["org_id", "int", (e) => e.org],
  ["actor", "text", (e) => e.author.name],
  ["person_id", "text", (e) => e.author.user],
  ["token_id", "text", (e) => e.author.token],
  ["address", "text", (e) => e.author.address],
  ["action", "text", (e) => e.action],
  ["object_kind", "text", (e) => e.objectKind],
  ["object_id", "text", (e) => e.objectId],
  ["reason", "text", (e) => e.reason],
  ["affected", "bigint", (e) => e.affected],
  ["before", "json", (e) => e.before],
  ["after", "json", (e) => e.after],
]);

const INSERT = `
insert into audit_log (org_id, actor, person_id, token_id, address, action, object_kind, object_id,
  reason, affected, before, after)
select org_id, actor, person_id, token_id, address, action, object_kind, object_id, reason, affected,
  before::jsonb, after::jsonb
from ${ENTRIES.sql}`;

export async function writeAudit(
  sql: Sql | Transaction,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await sql.unsafe(INSERT, ENTRIES.params(entries), { prepare: true });
}
