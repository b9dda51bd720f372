import { integer, jsonb, pgTable, timestamp, uuid } from "drizzle-orm/pg-core";
import { jobKind } from "./enums.ts";

/**
 * What eligibility reads of a job, interned by hash (engine rule 21): organization, queue, kind,
 * requirements and, for handlers, the name. Eligibility is computed once per (shape, worker).
 */
export const shape = pgTable("shape", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  hash: uuid().notNull().unique(),
  org_id: integer().notNull(),
  queue_id: integer().notNull(),
  kind: jobKind().notNull(),
  name_id: integer(),
  requirements: jsonb().notNull(),
  /** When it was interned last, a day old at most while jobs are submitted with it: retention goes by it. */
  used_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
