import { pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** A running server; alive while its heartbeat is fresh. */
export const replica = pgTable("replica", {
  id: uuid().primaryKey(),
  address: text().notNull(),
  started_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  seen_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
