import { boolean, integer, jsonb, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

/** Limits of a rule that an organization has set, for one job name or (the empty name) for all of them. */
export const alertLimit = pgTable(
  "alert_limit",
  {
    org_id: integer().notNull(),
    rule: text().notNull(),
    job_name: text().notNull(),
    enabled: boolean().notNull(),
    /** Only those that differ. */
    limits: jsonb().notNull(),
    updated_at: timestamp({ withTimezone: true }).notNull(),
    updated_by: text().notNull(),
  },
  (t) => [primaryKey({ name: "alert_limit_key", columns: [t.org_id, t.rule, t.job_name] })],
);
