import { pgTable, primaryKey } from "drizzle-orm/pg-core";
import { rollupColumns, rollupKey } from "./rollup_columns.ts";

/** Kept for ever: a year of a group is a few hundred rows. */
export const rollupDay = pgTable("rollup_day", rollupColumns(), (t) => [
  primaryKey({ name: "rollup_day_key", columns: rollupKey(t) as never }),
]);
