import { boolean, integer, pgTable, text, unique } from "drizzle-orm/pg-core";

/** A job's name (its task template), interned. */
export const jobName = pgTable(
  "job_name",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    org_id: integer().notNull(),
    name: text().notNull(),
    /** One of the first 200 names of its organization: counted by itself, the rest as "other". */
    counted: boolean().notNull().default(true),
  },
  (t) => [unique("job_name_org_name").on(t.org_id, t.name)],
);
