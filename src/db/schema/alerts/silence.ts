import { index, integer, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** Alerts that match are recorded, and told to nobody. Null matches everything. */
export const silence = pgTable(
  "silence",
  {
    id: uuid().primaryKey(),
    org_id: integer(),
    rule: text(),
    /** `report-*` matches what begins so. */
    job_name: text(),
    starts_at: timestamp({ withTimezone: true }).notNull(),
    ends_at: timestamp({ withTimezone: true }).notNull(),
    reason: text().notNull(),
    created_at: timestamp({ withTimezone: true }).notNull(),
    created_by: text().notNull(),
    /** Who ended it before its time. */
    ended_by: text(),
  },
  (t) => [index("silence_org").on(t.org_id, t.ends_at), index("silence_ends").on(t.ends_at)],
);
