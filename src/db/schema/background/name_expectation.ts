import { index, integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** How often a name without a schedule is to run, as somebody has said. */
export const nameExpectation = pgTable(
  "name_expectation",
  {
    name_id: integer().primaryKey(),
    org_id: integer().notNull(),
    interval_seconds: integer().notNull(),
    /** Null: the usual. */
    grace_seconds: integer(),
    updated_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updated_by: text().notNull(),
  },
  (t) => [index("name_expectation_org").on(t.org_id)],
);
