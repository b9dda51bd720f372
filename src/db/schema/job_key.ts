import { integer, pgTable, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** Dedupe keys (engine rule 31): a key names one job until that job is final or the key expires. */
export const jobKey = pgTable(
  "job_key",
  {
    org_id: integer().notNull(),
    key: text().notNull(),
    job_id: uuid().notNull(),
    expires_at: timestamp({ withTimezone: true }),
  },
  (t) => [primaryKey({ name: "job_key_key", columns: [t.org_id, t.key] })],
);
