import { sql } from "drizzle-orm";
import {
  bigint,
  customType,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { jobState, outcome, waitingFor } from "./enums.ts";

const xid8 = customType<{ data: string }>({ dataType: () => "xid8" });

/**
 * Append-only: a job entered a phase. Written in the transaction that changed the state.
 * Order is (xid, id), read below the snapshot horizon (engine rule 28). A BRIN index only.
 * `id` counts on from a value of a sequence without cache, one a statement (`event_ids.ts`): the feed
 * bounds its reads by it. The default is for rows written by hand.
 * One index for all: each one more is another look at its pages by every insert.
 * It summarizes by itself: a range that is not summarized is read whole by every query.
 */
export const phaseEvent = pgTable(
  "phase_event",
  {
    id: bigint({ mode: "number" }).notNull().default(sql`nextval('phase_event_id')`),
    xid: xid8().notNull().default(sql`pg_current_xact_id()`),
    at: timestamp({ withTimezone: true }).notNull(),
    org_id: integer().notNull(),
    queue_id: integer().notNull(),
    name_id: integer().notNull(),
    job_id: uuid().notNull(),
    attempt: integer().notNull(),
    from_state: jobState(),
    state: jobState().notNull(),
    waiting_for: waitingFor(),
    outcome: outcome(),
    reason: text(),
    worker_id: integer(),
    actor: text(),
    /**
     * When the wait began that ends here, for the three of them: eligible_at where it became ready,
     * ready_at where it was dispatched, dispatched_at where it began to run. Null elsewhere.
     */
    since: timestamp({ withTimezone: true }),
  },
  (t) => [
    index("phase_event_brin")
      .using("brin", t.id, t.at, t.job_id.op("uuid_minmax_multi_ops"))
      .with({ autosummarize: true }),
  ],
);
