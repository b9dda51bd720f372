import { index, pgTable, primaryKey, timestamp, uuid } from "drizzle-orm/pg-core";

/** `dependent_id` waits for `dependency_id`. An edge counts once: `satisfied_at` says when. */
export const edge = pgTable(
  "edge",
  {
    dependency_id: uuid().notNull(),
    dependent_id: uuid().notNull(),
    satisfied_at: timestamp({ withTimezone: true }),
  },
  (t) => [
    primaryKey({ name: "edge_key", columns: [t.dependency_id, t.dependent_id] }),
    index("edge_dependent").on(t.dependent_id),
  ],
);
