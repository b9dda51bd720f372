import { index, pgTable, primaryKey, timestamp, uuid } from "drizzle-orm/pg-core";
import { alertChannel } from "./alert_channel.ts";

/** When a channel was told last that an alert fires: it is told of the end, too. As long as the alert fires. */
export const alertTold = pgTable(
  "alert_told",
  {
    alert_id: uuid().notNull(),
    channel_id: uuid()
      .notNull()
      .references(() => alertChannel.id, { onDelete: "cascade" }),
    told_at: timestamp({ withTimezone: true }).notNull(),
  },
  (t) => [
    primaryKey({ name: "alert_told_key", columns: [t.alert_id, t.channel_id] }),
    index("alert_told_channel").on(t.channel_id),
  ],
);
