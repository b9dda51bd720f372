import { pgTable, primaryKey } from "drizzle-orm/pg-core";
import { rollupColumns, rollupKey } from "./rollup_columns.ts";

/** Partitioned by day, kept as long as raw rows. */
export const rollupMinute = pgTable("rollup_minute", rollupColumns(), (t) => [
  primaryKey({ name: "rollup_minute_key", columns: rollupKey(t) as never }),
]);
