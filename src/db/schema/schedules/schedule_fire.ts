import { sql } from "drizzle-orm";
import {
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { schedule } from "./schedule.ts";

/** What became of one due time: its key lets it fire once, whoever tries. */
export const scheduleFire = pgTable(
  "schedule_fire",
  {
    schedule_id: uuid()
      .notNull()
      .references(() => schedule.id, { onDelete: "cascade" }),
    /** As the rule says, without jitter; of a run by hand, when that was asked. */
    nominal_at: timestamp({ withTimezone: true }).notNull(),
    /** `due`, `missed` or `manual`. */
    kind: text().notNull(),
    /** `waiting`, `submitted`, `skipped` or `refused`. */
    state: text().notNull(),
    job_id: uuid(),
    workflow_id: uuid(),
    /** Of what was submitted. */
    fired_at: timestamp({ withTimezone: true }),
    /** After the due time with its jitter. */
    late_ms: doublePrecision(),
    /** Why it was skipped or refused. */
    reason: text(),
    /** Due times that a skip stands for, at least. */
    missed: integer(),
    /** Who asked for a run by hand. */
    asked_by: text(),
    /** How the run ended, once that was seen. */
    outcome: text(),
    at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: "schedule_fire_key", columns: [t.schedule_id, t.nominal_at] }),
    index("schedule_fire_at").on(t.at),
    index("schedule_fire_open")
      .on(t.schedule_id, t.nominal_at)
      .where(sql`outcome is null and state in ('waiting', 'submitted')`),
  ],
);
