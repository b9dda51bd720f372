import {
  bigint,
  doublePrecision,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";

/** When an alert began to fire, and how it ended: one row each, whoever tries to write it twice. */
export const alertEvent = pgTable(
  "alert_event",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    alert_id: uuid().notNull(),
    /** `firing`, `resolved`, or `lapsed`: nothing was known for long. */
    kind: text().notNull(),
    at: timestamp({ withTimezone: true }).notNull(),
    rule: text().notNull(),
    org_id: integer().notNull(),
    name_id: integer().notNull(),
    severity: text().notNull(),
    /** The condition held since. */
    since: timestamp({ withTimezone: true }).notNull(),
    value: doublePrecision(),
    limit_value: doublePrecision(),
    sentence: text().notNull(),
    /** The silence that kept it from being told. */
    silence_id: uuid(),
  },
  (t) => [
    unique("alert_event_once").on(t.alert_id, t.kind),
    index("alert_event_org").on(t.org_id, t.id),
    index("alert_event_name").on(t.name_id, t.at),
    index("alert_event_at").on(t.at),
    index("alert_event_rule").on(t.rule, t.id),
  ],
);
