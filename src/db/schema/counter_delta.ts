import { sql } from "drizzle-orm";
import { bigint, index, integer, pgTable, uuid } from "drizzle-orm/pg-core";
import { jobState } from "./enums.ts";

/** Signed changes, one row per key and transaction; see `counter`. */
export const counterDelta = pgTable(
  "counter_delta",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    org_id: integer().notNull(),
    queue_id: integer().notNull().default(0),
    name_id: integer().notNull().default(0),
    workflow_id: uuid().notNull().default(sql`'00000000-0000-0000-0000-000000000000'`),
    state: jobState().notNull(),
    n: bigint({ mode: "number" }).notNull(),
  },
  (t) => [
    index("counter_delta_workflow")
      .on(t.workflow_id)
      .where(sql`workflow_id <> '00000000-0000-0000-0000-000000000000'`),
  ],
);
