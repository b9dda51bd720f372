import { index, integer, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/**
 * When a job's name ran last, and how: kept by the aggregator, so that it is known however long ago that
 * was. Only of names that are counted by themselves.
 */
export const nameRun = pgTable(
  "name_run",
  {
    name_id: integer().primaryKey(),
    /** -2: Signalbox's own maintenance. */
    org_id: integer().notNull(),
    last_run_at: timestamp({ withTimezone: true }).notNull(),
    /** Null: it never succeeded. */
    last_success_at: timestamp({ withTimezone: true }),
    last_failure_at: timestamp({ withTimezone: true }),
    /** Null where it was no job. */
    last_failure_job: uuid(),
    /** Its beginning. */
    last_failure_error: text(),
  },
  (t) => [
    index("name_run_org").on(t.org_id, t.last_run_at),
    index("name_run_last").on(t.last_run_at),
  ],
);
