import { pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";

/** Buckets that something has happened in since they were last computed. */
export const rollupDirty = pgTable(
  "rollup_dirty",
  {
    granularity: text().notNull(),
    bucket_start: timestamp({ withTimezone: true }).notNull(),
  },
  (t) => [primaryKey({ name: "rollup_dirty_key", columns: [t.granularity, t.bucket_start] })],
);
