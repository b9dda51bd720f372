import { doublePrecision, integer, pgTable, real, text, timestamp } from "drizzle-orm/pg-core";

/**
 * Limits of a queue; a queue without a row has none, and then dispatch takes no lock here.
 * Rate: a bucket of `rate_count` tokens refilled evenly over `rate_seconds`, by database time.
 */
export const queueLimit = pgTable("queue_limit", {
  queue_id: integer().primaryKey(),
  concurrency: integer(),
  rate_count: integer(),
  rate_seconds: real(),
  /** A tag: of jobs with the same value of it, `key_concurrency` run at once. */
  key_tag: text(),
  key_concurrency: integer(),
  tokens: doublePrecision().notNull().default(0),
  refilled_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});
