import { integer, pgTable, primaryKey, real, smallint, uuid } from "drizzle-orm/pg-core";

/**
 * What a lease beat decided, and why: one row a beat, its leases side by side in arrays; partitioned by
 * the beat's UUIDv7. Written once, with the leases. Each lease's own terms, candidates and contexts in
 * `live_job`, and again in `dispatched_job`, were written, logged and copied three times, one value at a
 * time; here they are stored as they come. The view `decided_job` gives a row for each
 * job that the beat asked for; those that it was granted are named in `live_job` and `dispatched_job`.
 */
export const decision = pgTable(
  "decision",
  {
    beat: uuid().notNull(),
    rules_version: smallint().notNull(),
    /** Terms of one lease. */
    terms_each: smallint().notNull(),
    /** Those that the beat asked for, in the order of their places, which begin with 1. */
    jobs: uuid().array().notNull(),
    /** `terms_each` of each lease, in the order of the rules. */
    terms: real().array().notNull(),
    /** Three of each lease: a place in `jobs`, one in `others` with a minus, or 0 for none. */
    candidates: smallint().array().notNull(),
    candidate_scores: real().array().notNull(),
    /** Candidates that this beat did not ask for. */
    others: uuid().array().notNull(),
    considered: integer().array().notNull(),
    /** Of `context_snapshot`; what follows gives each lease's place in it. */
    contexts: uuid().array().notNull(),
    worker_context: smallint().array().notNull(),
    job_context: smallint().array().notNull(),
    instance_context: smallint().array().notNull(),
  },
  (t) => [primaryKey({ name: "decision_key", columns: [t.beat] })],
);
