import { index, integer, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
import { role } from "../enums.ts";
import { org } from "../org.ts";
import { person } from "./person.ts";

/** Who has which role in an organization. */
export const membership = pgTable(
  "membership",
  {
    org_id: integer()
      .notNull()
      .references(() => org.id),
    person_id: text()
      .notNull()
      .references(() => person.id, { onDelete: "cascade" }),
    role: role().notNull(),
    created_at: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.org_id, t.person_id] }),
    index("membership_by_person").on(t.person_id),
  ],
);
