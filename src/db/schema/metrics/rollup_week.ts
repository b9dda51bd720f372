import { pgTable, primaryKey } from "drizzle-orm/pg-core";
import { rollupColumns, rollupKey } from "./rollup_columns.ts";

/** Kept for ever: a year of a group is a few hundred rows. */
export const rollupWeek = pgTable("rollup_week", rollupColumns(), (t) => [
  primaryKey({ name: "rollup_week_key", columns: rollupKey(t) as never }),
]);
