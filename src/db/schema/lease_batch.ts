import { bigint, index, integer, pgTable, primaryKey, uuid } from "drizzle-orm/pg-core";

/**
 * What a lease beat gave to a session: a row a beat and session, where an index on the session of
 * each job would be an entry a job and would end heap-only updates. Written with the leases, never
 * joined by others later. A job is leased where id, attempt and session agree with its live row: the
 * view `leased_job` says which (it is to be made anew where `live_job` gets a column). What no member
 * lives of is removed, what few live of is shortened.
 */
export const leaseBatch = pgTable(
  "lease_batch",
  {
    beat: uuid().notNull(),
    session_id: bigint({ mode: "number" }).notNull(),
    jobs: uuid().array().notNull(),
    /** Of each job, its attempt. */
    attempts: integer().array().notNull(),
  },
  (t) => [
    primaryKey({ name: "lease_batch_key", columns: [t.beat, t.session_id] }),
    index("lease_batch_session").on(t.session_id),
  ],
);
