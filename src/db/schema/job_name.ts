import { boolean, integer, pgTable, text, timestamp, unique } from "drizzle-orm/pg-core";

/** A job's name (its task template), interned. */
export const jobName = pgTable(
  "job_name",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    org_id: integer().notNull(),
    name: text().notNull(),
    /** One of the first 200 names of its organization: counted by itself, the rest as "other". */
    counted: boolean().notNull().default(true),
    /** When it was interned last, a day old at most while jobs are submitted with it: retention goes by it. */
    used_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [unique("job_name_org_name").on(t.org_id, t.name)],
);
