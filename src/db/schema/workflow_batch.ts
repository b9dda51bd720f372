import { integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** Jobs that a running attempt added: one row per (job, attempt, batch), so that a repeat adds nothing. */
export const workflowBatch = pgTable(
  "workflow_batch",
  {
    job_id: uuid().notNull(),
    attempt: integer().notNull(),
    batch: text().notNull(),
    /** {key: job id} */
    ids: jsonb().notNull(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [primaryKey({ name: "workflow_batch_key", columns: [t.job_id, t.attempt, t.batch] })],
);
