import { index, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** Short-lived secrets of a sign-in under way, such as the state of an OIDC login; better-auth's. */
export const verification = pgTable(
  "verification",
  {
    id: text().primaryKey(),
    identifier: text().notNull(),
    value: text().notNull(),
    expiresAt: timestamp("expires_at", { withTimezone: true }).notNull(),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [index("verification_by_identifier").on(t.identifier)],
);
