import { doublePrecision, integer, pgTable, real, timestamp } from "drizzle-orm/pg-core";

/**
 * What the last attempts of a name used: the newest 200 samples of each figure, for the scoring
 * rules (p95 of RAM, mean disk, mean duration). Flushed in batches, never on the hot path.
 */
export const nameHistory = pgTable("name_history", {
  name_id: integer().primaryKey(),
  samples: integer().notNull().default(0),
  run_ms: doublePrecision().array().notNull(),
  peak_ram_mb: real().array().notNull(),
  cpu_ms: doublePrecision().array().notNull(),
  disk_bytes: doublePrecision().array().notNull(),
  network_mbps: real().array().notNull(),
  /** 1 where the kernel killed the attempt for want of memory, else 0. */
  oom: real().array().notNull(),
  updated_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
