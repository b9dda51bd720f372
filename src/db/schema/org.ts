import { integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** An organization, interned: hot rows carry its small id. */
export const org = pgTable("org", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull().unique(),
  created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
