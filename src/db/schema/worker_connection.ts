import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";

/**
 * A session: what an accepted `hello` opens, and the holder of leases (engine rules 13 to 15).
 * `lease_until` stands here once, so that a heartbeat is one update per worker and never one per job.
 */
export const workerConnection = pgTable(
  "worker_connection",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    worker_id: integer().notNull(),
    org_id: integer(),
    replica_id: uuid().notNull(),
    connected_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    /** The socket is gone; leases hold until `lease_until`. */
    dropped_at: timestamp({ withTimezone: true }),
    /** The session holds nothing any more: superseded, lapsed and rescued, or closed clean. */
    ended_at: timestamp({ withTimezone: true }),
    end_reason: text(),
    lease_until: timestamp({ withTimezone: true }).notNull(),
    draining: boolean().notNull().default(false),
    concurrency: integer().notNull(),
    /** hello facts: version, pid, host, pool, system, features, handlers, resources. */
    facts: jsonb().notNull(),
    /** Metrics of the latest heartbeat. */
    metrics: jsonb(),
  },
  (t) => [
    index("worker_connection_open").on(t.worker_id).where(sql`ended_at is null`),
    index("worker_connection_worker").on(t.worker_id, t.connected_at),
  ],
);
