/** What the doctor sees of retention: whether what has expired is really gone. */
import type { Retention } from "../../core/retention.ts";
import type { Sql } from "../../db/client.ts";
import { readOverdue } from "../../engine/keeping/overdue.ts";
import { count } from "../print/text.ts";
import { type Finding, ok, warn } from "./check.ts";

export async function checkRetention(sql: Sql, kept: Retention): Promise<Finding> {
  const name = "retention";
  const overdue = await readOverdue(sql, kept);
  if (overdue.length === 0) return ok(name, "What has expired is gone.");
  const tables = overdue.map(({ table, days }) => `${table} (${count(days, "day")} too long)`);
  const words = `It is behind: ${tables.join(", ")}.`;
  const unread = overdue.some(({ isUnread }) => isUnread);
  const mend = unread
    ? "Rollups have not read it: let a server run, and look in its log for what keeps them."
    : "Let a server run: it removes it within the hour, unless somebody reads it all the time.";
  return warn(name, words, mend);
}
