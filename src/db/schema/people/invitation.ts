import { index, integer, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { role } from "../enums.ts";
import { org } from "../org.ts";
import { bytea } from "./bytea.ts";
import { person } from "./person.ts";

/** A link that makes whoever opens it a member, once; only the hash of its secret is kept. */
export const invitation = pgTable(
  "invitation",
  {
    id: uuid().primaryKey(),
    org_id: integer()
      .notNull()
      .references(() => org.id),
    role: role().notNull(),
    /** For whom, where it is meant for one address only. */
    email: text(),
    hash: bytea().notNull().unique(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
    created_by: text().notNull(),
    /** Who made it, whose rights it must not outlive; null: the admin token, which has all. */
    person_id: text().references(() => person.id, { onDelete: "cascade" }),
    expires_at: timestamp({ withTimezone: true }).notNull(),
    accepted_at: timestamp({ withTimezone: true }),
    accepted_by: text(),
    revoked_at: timestamp({ withTimezone: true }),
  },
  (t) => [index("invitation_by_org").on(t.org_id), index("invitation_by_person").on(t.person_id)],
);
