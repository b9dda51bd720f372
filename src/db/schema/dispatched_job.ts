import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { jobState, outcome } from "./enums.ts";

/**
 * One row per attempt, written once, when the attempt ends; partitioned by the day of that end.
 * `ended_at` equals the job's `finished_at` for its last attempt, so a join finds the partition.
 */
export const dispatchedJob = pgTable(
  "dispatched_job",
  {
    job_id: uuid().notNull(),
    attempt: integer().notNull(),
    org_id: integer().notNull(),
    queue_id: integer().notNull(),
    name_id: integer().notNull(),
    worker_id: integer().notNull(),
    session_id: bigint({ mode: "number" }).notNull(),
    token: uuid().notNull(),
    outcome: outcome().notNull(),
    /** The job's state after this attempt. */
    state_after: jobState().notNull(),
    reason: text(),
    error: text(),
    exit_code: integer(),
    signal: text(),
    queued_at: timestamp({ withTimezone: true }).notNull(),
    eligible_at: timestamp({ withTimezone: true }),
    ready_at: timestamp({ withTimezone: true }).notNull(),
    dispatched_at: timestamp({ withTimezone: true }).notNull(),
    started_at: timestamp({ withTimezone: true }),
    ended_at: timestamp({ withTimezone: true }).notNull(),
    /** The worker's own monotonic duration, milliseconds. */
    run_ms: doublePrecision(),
    peak_ram_mb: real(),
    cpu_ms: doublePrecision(),
    disk_read_bytes: bigint({ mode: "number" }),
    disk_write_bytes: bigint({ mode: "number" }),
    network_mbps: real(),
    oom_killed: boolean(),
    /** Where each figure came from: {ram: "cgroup", cpu: "proc", …}; absent means unknown. */
    usage_source: jsonb(),
    items_success: bigint({ mode: "number" }),
    items_failed: bigint({ mode: "number" }),
    items_skipped: bigint({ mode: "number" }),
    log_bytes: bigint({ mode: "number" }),
    score: real(),
    /** Which `decision` gave it, and where in it. */
    beat: uuid(),
    beat_place: smallint(),
  },
  (t) => [
    primaryKey({ name: "dispatched_job_key", columns: [t.job_id, t.attempt, t.ended_at] }),
    // For rollups, which read the attempts that ended in a minute.
    index("dispatched_job_ended").using("brin", t.ended_at).with({ autosummarize: true }),
  ],
);
