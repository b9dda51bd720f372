import { index, integer, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { org } from "../org.ts";
import { bytea } from "./bytea.ts";

/** What a worker shows to be let in. A null ceiling allows anything. */
export const workerToken = pgTable(
  "worker_token",
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    hash: bytea().notNull().unique(),
    hint: text().notNull(),
    /** Null: its workers are of the fleet that all organizations share. */
    org_id: integer().references(() => org.id),
    pool: text(),
    /** Features that its workers may offer. */
    features: text().array(),
    /** Kinds of jobs that they may run: `exec`, `handler`. */
    kinds: text().array(),
    /** Slots that one of them may offer. */
    slots_max: integer(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    created_by: text().notNull(),
    expires_at: timestamp({ withTimezone: true }),
    revoked_at: timestamp({ withTimezone: true }),
    last_used_at: timestamp({ withTimezone: true }),
  },
  (t) => [index("worker_token_by_org").on(t.org_id)],
);
