import { boolean, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** Somebody with an account. Property names are those of better-auth's model `user`. */
export const person = pgTable("person", {
  id: text().primaryKey(),
  name: text().notNull(),
  email: text().notNull().unique(),
  emailVerified: boolean("email_verified").notNull().default(false),
  image: text(),
  isSuperuser: boolean("is_superuser").notNull().default(false),
  createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().defaultNow(),
});
