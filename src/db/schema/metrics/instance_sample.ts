import { bigint, integer, pgTable, primaryKey, real, timestamp } from "drizzle-orm/pg-core";

/**
 * The work of each organization at a moment, and of all (organization 0), which also says that
 * somebody looked: without its row, nothing is known of that moment.
 */
export const instanceSample = pgTable(
  "instance_sample",
  {
    at: timestamp({ withTimezone: true }).notNull(),
    org_id: integer().notNull(),
    /** 0: all names. Of names, only what is ready is kept; -1: those that are not counted by themselves. */
    name_id: integer().notNull().default(0),
    pending: bigint({ mode: "number" }).notNull(),
    active: bigint({ mode: "number" }).notNull(),
    slots_entitled: real().notNull(),
  },
  (t) => [primaryKey({ name: "instance_sample_key", columns: [t.at, t.org_id, t.name_id] })],
);
