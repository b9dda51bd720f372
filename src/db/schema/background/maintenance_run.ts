import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  pgTable,
  text,
  timestamp,
} from "drizzle-orm/pg-core";

/**
 * What Signalbox did for itself: the passes of one task on one server that did something or failed, at most
 * one row a minute. `name_id`: a name of the organization that is none (`core/background/system_org.ts`).
 */
export const maintenanceRun = pgTable(
  "maintenance_run",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    name_id: integer().notNull(),
    /** Which server. */
    address: text().notNull(),
    started_at: timestamp({ withTimezone: true }).notNull(),
    ended_at: timestamp({ withTimezone: true }).notNull(),
    /** All passes together. */
    run_ms: doublePrecision().notNull(),
    passes: integer().notNull(),
    /** `succeeded`, or `failed` where any of the passes did. */
    outcome: text().notNull(),
    items_success: bigint({ mode: "number" }).notNull(),
    items_failed: bigint({ mode: "number" }).notNull(),
    items_skipped: bigint({ mode: "number" }).notNull(),
    /** Of the last pass that failed. */
    error: text(),
  },
  (t) => [
    index("maintenance_run_ended").on(t.ended_at),
    index("maintenance_run_failed").on(t.ended_at).where(sql`outcome = 'failed'`),
    check("maintenance_run_outcome", sql`outcome in ('succeeded', 'failed')`),
  ],
);
