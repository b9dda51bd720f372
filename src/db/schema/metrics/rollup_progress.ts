import { bigint, customType, jsonb, pgTable, smallint, timestamp } from "drizzle-orm/pg-core";

const xid8 = customType<{ data: string }>({ dataType: () => "xid8" });

/** How far rollups have come: one row, moved only by whoever read the old value (engine rule 29). */
export const rollupProgress = pgTable("rollup_progress", {
  id: smallint().primaryKey(),
  /** Every transaction below this one was looked at. */
  horizon: xid8().notNull(),
  /** [{xmax, ids}]: newest id handed out when that transaction was still to come; bounds the next read. */
  marks: jsonb().notNull(),
  /** What was committed before this moment is in. */
  complete_until: timestamp({ withTimezone: true }).notNull(),
  /** When the first event of all happened: before it, nothing is known. Null without any. */
  known_from: timestamp({ withTimezone: true }),
  /** Counts up when what was settled is written over: readers may have kept it. */
  revision: bigint({ mode: "number" }).notNull().default(0),
});
