import { sql } from "drizzle-orm";
import { bigint, index, integer, pgTable, primaryKey, uuid } from "drizzle-orm/pg-core";
import { jobState } from "./enums.ts";

/**
 * How many jobs stand in each state, folded from `counter_delta` every second.
 * Three families of keys share the table: (org, queue), (org, name) and (workflow); the ids that
 * do not apply are 0 (workflow: the nil uuid). Final states are counted for workflows only.
 */
export const counter = pgTable(
  "counter",
  {
    org_id: integer().notNull(),
    queue_id: integer().notNull(),
    name_id: integer().notNull(),
    workflow_id: uuid().notNull(),
    state: jobState().notNull(),
    n: bigint({ mode: "number" }).notNull(),
  },
  (t) => [
    primaryKey({
      name: "counter_key",
      columns: [t.org_id, t.queue_id, t.name_id, t.workflow_id, t.state],
    }),
    // What every board shows, among the counts of a hundred thousand workflows. `n` is in no index, so
    // that folding stays a change in place.
    index("counter_queue").on(t.org_id, t.queue_id).where(sql`queue_id <> 0`),
    // How much of each name waits: looked at every few seconds.
    index("counter_ready_name")
      .on(t.org_id, t.name_id)
      .where(sql`queue_id = 0 and name_id > 0 and state = 'ready'`),
  ],
);
