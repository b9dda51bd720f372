import { integer, json, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

/** Answers to POSTs that carried `Idempotency-Key`, kept 24 h. `status` null: still in work. */
export const idempotencyKey = pgTable(
  "idempotency_key",
  {
    caller: text().notNull(),
    key: text().notNull(),
    request_hash: text().notNull(),
    status: integer(),
    answer: json(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [primaryKey({ name: "idempotency_key_key", columns: [t.caller, t.key] })],
);
