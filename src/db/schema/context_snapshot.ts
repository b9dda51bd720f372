import { index, jsonb, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** A context frozen at dispatch; equal contexts are one row, named by the hash of their body. */
export const contextSnapshot = pgTable(
  "context_snapshot",
  {
    id: uuid().primaryKey(),
    kind: text().notNull(),
    body: jsonb().notNull(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    /** When it was stored last, a day old at most while decisions name it: retention goes by it. */
    used_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [index("context_snapshot_used").on(t.used_at)],
);
