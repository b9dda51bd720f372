import { sql } from "drizzle-orm";
import {
  date,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";

/**
 * The costliest attempts of a day, by a measure (a metric of the catalogue), of each kept group:
 * all, organization, queue, name. What does not apply is 0.
 */
export const ranking = pgTable(
  "ranking",
  {
    metric_id: smallint().notNull(),
    org_id: integer().notNull(),
    queue_id: integer().notNull(),
    name_id: integer().notNull(),
    /** UTC. */
    day: date().notNull(),
    place: smallint().notNull(),
    value: doublePrecision().notNull(),
    job_id: uuid().notNull(),
    attempt: integer().notNull(),
    ended_at: timestamp({ withTimezone: true }).notNull(),
    /** Of the attempt, whatever the group. */
    job_org_id: integer().notNull(),
    job_queue_id: integer().notNull(),
    job_name_id: integer().notNull(),
    worker_id: integer().notNull(),
  },
  (t) => [
    // For retention alone. By the plain day, lists of a month would be read as all lists of its days: a plan
    // that is made for any caller takes this index to be the better one.
    index("ranking_age").on(sql`(${t.day} - date '2000-01-01')`),
    primaryKey({
      name: "ranking_key",
      columns: [t.metric_id, t.org_id, t.queue_id, t.name_id, t.day, t.place],
    }),
  ],
);
