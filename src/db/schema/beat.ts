import { pgTable, timestamp, uuid } from "drizzle-orm/pg-core";

/** Each committed beat leaves its id, so that a connection lost at COMMIT repeats nothing. */
export const beat = pgTable("beat", {
  id: uuid().primaryKey(),
  at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
