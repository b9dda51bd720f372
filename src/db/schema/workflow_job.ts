import { index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";

/** A job can belong to several workflows, under a key of its own in each. */
export const workflowJob = pgTable(
  "workflow_job",
  {
    workflow_id: uuid().notNull(),
    key: text().notNull(),
    job_id: uuid().notNull(),
  },
  (t) => [
    primaryKey({ name: "workflow_job_key", columns: [t.workflow_id, t.key] }),
    index("workflow_job_job").on(t.job_id),
  ],
);
