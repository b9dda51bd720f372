import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/**
 * Every change by a person or a token, in the transaction of the change. Append-only: a trigger refuses
 * everything but insert.
 */
export const auditLog = pgTable(
  "audit_log",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestamp({ withTimezone: true }).notNull().default(sql`clock_timestamp()`),
    /** Null: of the whole instance. */
    org_id: integer(),
    /** As it was called then; people and tokens may be gone. */
    actor: text().notNull(),
    person_id: text(),
    token_id: text(),
    address: text(),
    /** Thing and verb: `queue.pause`, `token.revoke`. */
    action: text().notNull(),
    /** What it was done to: `queue`, `job`, `token`, `member`, … and its id or name. */
    object_kind: text().notNull(),
    object_id: text().notNull(),
    reason: text(),
    /** Rows that it changed, where they are many. */
    affected: bigint({ mode: "number" }),
    before: jsonb(),
    after: jsonb(),
  },
  (t) => [
    index("audit_log_by_org").on(t.org_id, t.id),
    index("audit_log_by_object").on(t.object_kind, t.object_id, t.id),
  ],
);
