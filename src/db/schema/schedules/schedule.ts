import { sql } from "drizzle-orm";
import { index, integer, json, pgTable, text, timestamp, unique, uuid } from "drizzle-orm/pg-core";
import { org } from "../org.ts";

/** A cron rule that submits a job or a workflow. `settled_until`: due times up to there are dealt with. */
export const schedule = pgTable(
  "schedule",
  {
    id: uuid().primaryKey(),
    org_id: integer()
      .notNull()
      .references(() => org.id),
    name: text().notNull(),
    description: text().notNull().default(""),
    cron: text().notNull(),
    time_zone: text().notNull(),
    /** What it submits: one of the two. `json`, kept as it was written. */
    job: json(),
    workflow: json(),
    overlap: text().notNull(),
    catch_up: text().notNull(),
    catch_up_max: integer().notNull(),
    jitter_seconds: integer().notNull(),
    vendor_type: text(),
    vendor_id: text(),
    managed_by: text(),
    paused_at: timestamp({ withTimezone: true }),
    paused_by: text(),
    pause_reason: text(),
    /** Due times of its last pause are missed ones. */
    resumed_at: timestamp({ withTimezone: true }),
    /** When its rule and time zone became what they are. */
    rule_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    settled_until: timestamp({ withTimezone: true }).notNull(),
    /** When it is to be looked at: the next due time with its jitter. Null: paused, or never again. */
    due_at: timestamp({ withTimezone: true }),
    last_fire_at: timestamp({ withTimezone: true }),
    /** Of its settings and its state: a step that was computed from another one is computed anew. */
    revision: integer().notNull().default(0),
    created_at: timestamp({ withTimezone: true }).notNull(),
    created_by: text().notNull(),
    updated_at: timestamp({ withTimezone: true }).notNull(),
    updated_by: text().notNull(),
  },
  (t) => [
    unique("schedule_org_name").on(t.org_id, t.name),
    index("schedule_due").on(t.due_at).where(sql`due_at is not null`),
  ],
);
