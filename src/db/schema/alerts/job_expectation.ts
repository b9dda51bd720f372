import { integer, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

/** How often a job name is to succeed, where somebody has said so: a schedule of it says more. */
export const jobExpectation = pgTable(
  "job_expectation",
  {
    org_id: integer().notNull(),
    job_name: text().notNull(),
    interval_seconds: integer().notNull(),
    updated_at: timestamp({ withTimezone: true }).notNull(),
    updated_by: text().notNull(),
  },
  (t) => [primaryKey({ name: "job_expectation_key", columns: [t.org_id, t.job_name] })],
);
