import {
  bigint,
  boolean,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
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
  /** Until then nothing happens, and it can be called off whole. */
  starts_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  /** A chunk of it has been done. */
  begun: boolean().notNull().default(false),
  finished_at: timestamp({ withTimezone: true }),
});
