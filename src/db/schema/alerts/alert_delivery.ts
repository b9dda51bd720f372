import { sql } from "drizzle-orm";
import { index, integer, json, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { alertChannel } from "./alert_channel.ts";

/** One message to one channel. Its id and its text are the same at every try. */
export const alertDelivery = pgTable(
  "alert_delivery",
  {
    id: uuid().primaryKey(),
    channel_id: uuid()
      .notNull()
      .references(() => alertChannel.id, { onDelete: "cascade" }),
    /** `json`, kept as it was written: a signature covers the bytes. */
    message: json().notNull(),
    /** `waiting`, `delivered`, `given_up`, or `replaced`: what it says went into the next one of its channel. */
    state: text().notNull(),
    attempts: integer().notNull(),
    created_at: timestamp({ withTimezone: true }).notNull(),
    next_try_at: timestamp({ withTimezone: true }).notNull(),
    /** While one server tries, no other does before this, nor anything else of the channel. */
    taken_until: timestamp({ withTimezone: true }),
    ended_at: timestamp({ withTimezone: true }),
    last_error: text(),
  },
  (t) => [
    index("alert_delivery_due").on(t.next_try_at).where(sql`state = 'waiting'`),
    index("alert_delivery_channel").on(t.channel_id, t.created_at),
    index("alert_delivery_created").on(t.created_at),
  ],
);
