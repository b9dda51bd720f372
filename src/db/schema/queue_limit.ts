import { doublePrecision, integer, pgTable, real, timestamp } from "drizzle-orm/pg-core";

/**
 * Limits of a queue; a queue without a row has none, and then dispatch takes no lock here.
 * Rate: a bucket of `rate_count` tokens refilled evenly over `rate_seconds`, by database time.
 */
export const queueLimit = pgTable("queue_limit", {
  queue_id: integer().primaryKey(),
  concurrency: integer(),
  rate_count: integer(),
  rate_seconds: real(),
  tokens: doublePrecision().notNull().default(0),
  refilled_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
