import { pgTable, text, timestamp } from "drizzle-orm/pg-core";

/**
 * How far retention has come: rows of this table from before that moment are gone, or will be at once.
 * Written before anything is removed, so that nobody computes anew what its rows are missing for.
 * A row for each partitioned table is there from the first migration on: it is what is locked.
 */
export const pruned = pgTable("pruned", {
  table_name: text().primaryKey(),
  before: timestamp({ withTimezone: true }).notNull(),
});
