import { sql } from "drizzle-orm";
import { boolean, index, integer, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { workflowState } from "./enums.ts";

/** Jobs with dependencies, submitted together. `open`: more jobs may still be added by API. */
export const workflow = pgTable(
  "workflow",
  {
    id: uuid().primaryKey(),
    org_id: integer().notNull(),
    name: text().notNull(),
    state: workflowState().notNull(),
    open: boolean().notNull().default(false),
    commit_hash: text(),
    commit_at: timestamp({ withTimezone: true }),
    created_at: timestamp({ withTimezone: true }).notNull(),
    finished_at: timestamp({ withTimezone: true }),
    cancel_requested_at: timestamp({ withTimezone: true }),
    reason: text(),
  },
  (t) => [
    index("workflow_org_id").on(t.org_id, t.id),
    index("workflow_unfinished").on(t.id).where(sql`finished_at is null`),
  ],
);
