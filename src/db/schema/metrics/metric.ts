import { pgTable, smallint, text } from "drizzle-orm/pg-core";

/** The catalogue's keys, written at start from `core/metrics`, for people who query rollups by hand. */
export const metric = pgTable("metric", {
  id: smallint().primaryKey(),
  key: text().notNull().unique(),
  kind: text().notNull(),
  unit: text().notNull(),
});
