import { index, integer, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { role } from "../enums.ts";
import { org } from "../org.ts";
import { bytea } from "./bytea.ts";
import { person } from "./person.ts";

/**
 * A token of the API: what its owner may, narrowed to an organization and a role. The secret itself is
 * shown once; it is 256 random bits, so a plain SHA-256 of it is as good as the secret is long.
 */
export const apiToken = pgTable(
  "api_token",
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    hash: bytea().notNull().unique(),
    /** The secret's first characters, to tell tokens apart. */
    hint: text().notNull(),
    /** Null: made with the admin token of the environment, which is nobody's. */
    person_id: text().references(() => person.id, { onDelete: "cascade" }),
    /** Null: all of its owner's. */
    org_id: integer().references(() => org.id),
    /** The most it may be in any organization. Null: as much as its owner. */
    role: role(),
    /** `api`, or `metrics` for a scraper, which may read nothing else. */
    purpose: text({ enum: ["api", "metrics"] }).notNull(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    created_by: text().notNull(),
    expires_at: timestamp({ withTimezone: true }),
    revoked_at: timestamp({ withTimezone: true }),
    /** Written now and then, for many tokens at once. */
    last_used_at: timestamp({ withTimezone: true }),
  },
  (t) => [index("api_token_by_org").on(t.org_id), index("api_token_by_person").on(t.person_id)],
);
