import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  integer,
  pgTable,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";

/** Where alerts are told. `org_id` null: those of every organization. */
export const alertChannel = pgTable(
  "alert_channel",
  {
    id: uuid().primaryKey(),
    org_id: integer(),
    name: text().notNull(),
    kind: text().notNull(),
    /** Told from this on: `warning` is all. */
    severity: text().notNull(),
    /** An address of the web; null for e-mail. Part of it is a secret, and it is not shown in full. */
    url: text(),
    /** Of e-mail. */
    addresses: text().array(),
    /** Signs messages; shown once, when it is made. */
    secret: text(),
    /** A superuser has written the address: it may be one of a private network. */
    may_be_private: boolean().notNull(),
    enabled: boolean().notNull(),
    created_at: timestamp({ withTimezone: true }).notNull(),
    created_by: text().notNull(),
    updated_at: timestamp({ withTimezone: true }).notNull(),
    updated_by: text().notNull(),
  },
  (t) => [
    unique("alert_channel_name").on(t.org_id, t.name).nullsNotDistinct(),
    check("alert_channel_kind", sql`kind in ('webhook', 'slack', 'email')`),
  ],
);
