import { index, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { person } from "./person.ts";

/** A browser that has signed in; better-auth's model `session`. Its cookie is this token, signed. */
export const personSession = pgTable(
  "person_session",
  {
    id: text().primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => person.id, { onDelete: "cascade" }),
    token: text().notNull().unique(),
    expiresAt: timestamp("expires_at", { withTimezone: true }).notNull(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [index("person_session_by_person").on(t.userId)],
);
