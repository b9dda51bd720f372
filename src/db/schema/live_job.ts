import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  pgTable,
  real,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { jobState, waitingFor } from "./enums.ts";

/**
 * The changing columns of jobs that have not ended: narrow, fillfactor 30, vacuumed hard (set by
 * migration). While an attempt lives its dispatch facts stand here and live pages read them here.
 *
 * (shape_id, ready_rank, id) *is* the queue (engine rule 3). A lease changes no column that an index
 * knows, so that its update is heap-only, which is a fifth of what it costs: `ready_rank` stays until the
 * start is written, and whoever reads the line asks for `state = 'ready'` as well; no index predicate
 * names `state`; what a session holds is found by `lease_batch`.
 */
export const liveJob = pgTable(
  "live_job",
  {
    id: uuid().primaryKey(),
    org_id: integer().notNull(),
    queue_id: integer().notNull(),
    name_id: integer().notNull(),
    shape_id: integer().notNull(),
    /** `name_id`, or 0 where the name is counted as "other". */
    counted_name: integer().notNull(),
    state: jobState().notNull(),
    waiting_for: waitingFor(),
    priority: smallint().notNull(),
    /** Dispatches so far; the running attempt's number. */
    attempt: integer().notNull().default(0),
    /** Failures that count towards `max_attempts` since the last manual retry. */
    failures: smallint().notNull().default(0),
    max_attempts: smallint().notNull(),
    /** Leases lost while running; at `max_lost` the job fails with `worker_lost`. */
    lost: smallint().notNull().default(0),
    rejections: smallint().notNull().default(0),
    /** Direct dependencies that have not ended well yet. */
    pending_deps: integer().notNull().default(0),
    /** Longest weighted path below this job, for the `dependents` rule. */
    dependents: real().notNull().default(0),
    has_inputs: boolean().notNull().default(false),
    has_dependents: boolean().notNull().default(false),
    has_workflow: boolean().notNull().default(false),
    /** Epoch seconds: ready_at − priority × seconds per point. Null unless ready. */
    ready_rank: doublePrecision(),
    queued_at: timestamp({ withTimezone: true }).notNull(),
    /** When the stager must look again: run_at, or the end of the backoff. */
    due_at: timestamp({ withTimezone: true }),
    eligible_at: timestamp({ withTimezone: true }),
    ready_at: timestamp({ withTimezone: true }),
    dispatched_at: timestamp({ withTimezone: true }),
    started_at: timestamp({ withTimezone: true }),
    deadline_at: timestamp({ withTimezone: true }),
    cancel_requested_at: timestamp({ withTimezone: true }),
    cancel_acknowledged_at: timestamp({ withTimezone: true }),
    cancel_actor: text(),
    cancel_reason: text(),
    /** What was asked is only that its slot be freed: it goes back in line instead of ending. */
    cancel_requeue: boolean().notNull().default(false),
    session_id: bigint({ mode: "number" }),
    worker_id: integer(),
    token: uuid(),
    score: real(),
    /** Which `decision` gave it, and where in it. */
    beat: uuid(),
    beat_place: smallint(),
    /** Workers that rejected this job: vetoed for it. */
    rejected_by: integer().array(),
    /** Workers that ran its dependencies, for the `locality` rule. At most 8. */
    input_workers: integer().array(),
    progress: real(),
    progress_note: text(),
    /** Of the attempt so far, as its worker told last; null where it counts nothing. */
    items_success: bigint({ mode: "number" }),
    items_failed: bigint({ mode: "number" }),
    items_skipped: bigint({ mode: "number" }),
    /** When the attempt last told how far it is. */
    progress_at: timestamp({ withTimezone: true }),
    /** Of its worker, from 1; told by `session_id`. */
    slot: smallint(),
    /** Why the last attempt ended as it did; shown while the job waits to try again. */
    last_error: text(),
  },
  (t) => [
    index("live_job_ready").on(t.shape_id, t.ready_rank, t.id).where(sql`ready_rank is not null`),
    index("live_job_due").on(t.due_at, t.id).where(sql`due_at is not null`),
    index("live_job_deadline").on(t.deadline_at).where(sql`deadline_at is not null`),
    index("live_job_cancel").on(t.cancel_requested_at).where(sql`cancel_requested_at is not null`),
  ],
);
