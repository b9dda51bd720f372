import { sql } from "drizzle-orm";
import {
  check,
  doublePrecision,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";

/** What a rule holds of a job's name now: pending or firing. Inactive has no row. */
export const alert = pgTable(
  "alert",
  {
    /** Of this episode: a new one has another. */
    id: uuid().primaryKey(),
    rule: text().notNull(),
    /** -2: Signalbox's own maintenance. */
    org_id: integer().notNull(),
    name_id: integer().notNull(),
    severity: text().notNull(),
    state: text().notNull(),
    since: timestamp({ withTimezone: true }).notNull(),
    seen_at: timestamp({ withTimezone: true }).notNull(),
    known_at: timestamp({ withTimezone: true }).notNull(),
    fired_at: timestamp({ withTimezone: true }),
    clear_since: timestamp({ withTimezone: true }),
    value: doublePrecision(),
    limit_value: doublePrecision(),
    sentence: text().notNull(),
  },
  (t) => [
    unique("alert_of").on(t.rule, t.name_id),
    index("alert_org").on(t.org_id),
    check("alert_state", sql`state in ('pending', 'firing')`),
  ],
);
