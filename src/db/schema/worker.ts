import { integer, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** A worker, known by the uuid it keeps in its data folder. `org_id` null: shared by all. */
export const worker = pgTable("worker", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  uid: uuid().notNull().unique(),
  org_id: integer(),
  name: text().notNull(),
  pool: text().notNull(),
  first_seen_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  last_seen_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
