import { integer, pgTable, text, timestamp, unique, uuid } from "drizzle-orm/pg-core";

/** A named lane of jobs. `stop_below`: no job with a smaller id may be leased (engine rule 30). */
export const queue = pgTable(
  "queue",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    org_id: integer().notNull(),
    name: text().notNull(),
    description: text().notNull().default(""),
    paused_at: timestamp({ withTimezone: true }),
    paused_by: text(),
    pause_reason: text(),
    stop_below: uuid(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [unique("queue_org_name").on(t.org_id, t.name)],
);
