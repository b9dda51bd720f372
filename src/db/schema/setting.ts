import { jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** Instance-wide switches that outlive a restart, such as `draining`. */
export const setting = pgTable("setting", {
  key: text().primaryKey(),
  value: jsonb().notNull(),
  changed_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  changed_by: text(),
  reason: text(),
});
