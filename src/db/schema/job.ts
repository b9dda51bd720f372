import {
  index,
  integer,
  json,
  jsonb,
  pgTable,
  real,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { jobKind } from "./enums.ts";

/**
 * A job's immutable input: insert-only, partitioned by day through its UUIDv7 id (engine rule 1).
 * `payload` is `json`, not `jsonb`: it is kept as it was written and never searched by key.
 */
export const job = pgTable(
  "job",
  {
    id: uuid().primaryKey(),
    org_id: integer().notNull(),
    queue_id: integer().notNull(),
    name_id: integer().notNull(),
    shape_id: integer().notNull(),
    kind: jobKind().notNull(),
    priority: smallint().notNull(),
    max_attempts: smallint().notNull(),
    backoff_base: real().notNull(),
    backoff_factor: real().notNull(),
    backoff_max: real().notNull(),
    timeout_seconds: real(),
    run_at: timestamp({ withTimezone: true }),
    created_at: timestamp({ withTimezone: true }).notNull(),
    depends_on: uuid().array(),
    dedupe_key: text(),
    tags: jsonb(),
    created_by: text(),
    payload: json(),
  },
  (t) => [index("job_org_id").on(t.org_id, t.id)],
);
