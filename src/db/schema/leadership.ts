import { bigint, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** One row per singleton role; its holder's writes are fenced by `term` (engine rule 27). */
export const leadership = pgTable("leadership", {
  role: text().primaryKey(),
  holder: uuid().notNull(),
  term: bigint({ mode: "number" }).notNull(),
  until: timestamp({ withTimezone: true }).notNull(),
});
