import { integer, pgTable, text, unique } from "drizzle-orm/pg-core";

/** A job's name (its task template), interned. */
export const jobName = pgTable(
  "job_name",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    org_id: integer().notNull(),
    name: text().notNull(),
  },
  (t) => [unique("job_name_org_name").on(t.org_id, t.name)],
);
