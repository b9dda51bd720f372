import {
  integer,
  json,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { jobState } from "./enums.ts";

/**
 * One row when a job is final; partitioned by finish day. Times of the last attempt stand in
 * `dispatched_job` (joined on job_id, attempt and ended_at = finished_at).
 */
export const jobEnd = pgTable(
  "job_end",
  {
    job_id: uuid().notNull(),
    finished_at: timestamp({ withTimezone: true }).notNull(),
    org_id: integer().notNull(),
    queue_id: integer().notNull(),
    name_id: integer().notNull(),
    state: jobState().notNull(),
    attempt: integer().notNull(),
    failures: smallint().notNull(),
    worker_id: integer(),
    exit_code: integer(),
    reason: text(),
    error: text(),
    queued_at: timestamp({ withTimezone: true }).notNull(),
    eligible_at: timestamp({ withTimezone: true }),
    ready_at: timestamp({ withTimezone: true }),
    cancel_requested_at: timestamp({ withTimezone: true }),
    result: json(),
  },
  (t) => [primaryKey({ name: "job_end_key", columns: [t.job_id, t.finished_at] })],
);
