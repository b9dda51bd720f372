import { sql } from "drizzle-orm";
import { jsonb, pgTable, text, timestamp, uniqueIndex, uuid } from "drizzle-orm/pg-core";

/** Work on the whole instance that somebody asked for, with its progress. Of each kind one at a time. */
export const adminTask = pgTable(
  "admin_task",
  {
    id: uuid().primaryKey(),
    /** `deep_gc` */
    kind: text().notNull(),
    state: text({ enum: ["running", "done", "failed"] }).notNull(),
    /** Who carries it out: where that server is gone, so is the task. */
    replica_id: uuid().notNull(),
    created_by: text().notNull(),
    reason: text(),
    /** [{pass, state, scanned, removed, started_at, finished_at, …}] in the order of the passes. */
    progress: jsonb().notNull(),
    error: text(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    finished_at: timestamp({ withTimezone: true }),
  },
  (t) => [uniqueIndex("admin_task_running").on(t.kind).where(sql`finished_at is null`)],
);
