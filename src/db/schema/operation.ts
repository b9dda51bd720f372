import { bigint, integer, jsonb, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { operationState } from "./enums.ts";

/** Something that touches many rows in chunks and shows its progress. */
export const operation = pgTable("operation", {
  id: uuid().primaryKey(),
  org_id: integer(),
  kind: text().notNull(),
  filter: jsonb().notNull(),
  reason: text(),
  actor: text(),
  state: operationState().notNull(),
  affected: bigint({ mode: "number" }).notNull(),
  done: bigint({ mode: "number" }).notNull().default(0),
  cursor: text(),
  error: text(),
  created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  finished_at: timestamp({ withTimezone: true }),
});
