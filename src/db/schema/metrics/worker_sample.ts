import { boolean, index, integer, pgTable, real, timestamp } from "drizzle-orm/pg-core";

/**
 * What each connected worker did at a moment that all servers share, every
 * SIGNALBOX_WORKER_SAMPLE_SECONDS. Figures of the host come from its latest heartbeat; null: not told.
 */
export const workerSample = pgTable(
  "worker_sample",
  {
    at: timestamp({ withTimezone: true }).notNull(),
    worker_id: integer().notNull(),
    /** Null: shared by all organizations. */
    org_id: integer(),
    slots_offered: integer().notNull(),
    slots_used: integer().notNull(),
    draining: boolean().notNull(),
    runs_exec: boolean().notNull(),
    has_handlers: boolean().notNull(),
    /** 0 to 100. */
    cpu_pct: real(),
    ram_free_mb: real(),
    ram_total_mb: real(),
    /** MB/s. */
    disk_mbps: real(),
    /** Mbit/s. */
    network_mbps: real(),
  },
  (t) => [
    index("worker_sample_worker").on(t.worker_id, t.at),
    index("worker_sample_at").using("brin", t.at).with({ autosummarize: true }),
  ],
);
