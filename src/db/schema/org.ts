import { boolean, integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** An organization, interned: hot rows carry its small id. Its name never changes, its title may. */
export const org = pgTable("org", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull().unique(),
  /** For people; null shows the name. */
  title: text(),
  /** Everybody who has signed in may read it, and strangers its aggregates. */
  is_public: boolean().notNull().default(false),
  created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
