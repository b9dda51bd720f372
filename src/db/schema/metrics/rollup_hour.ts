import { pgTable, primaryKey } from "drizzle-orm/pg-core";
import { rollupColumns, rollupKey } from "./rollup_columns.ts";

/** Partitioned by month, kept for SIGNALBOX_RETENTION_ROLLUP_DAYS. */
export const rollupHour = pgTable("rollup_hour", rollupColumns(), (t) => [
  primaryKey({ name: "rollup_hour_key", columns: rollupKey(t) as never }),
]);
