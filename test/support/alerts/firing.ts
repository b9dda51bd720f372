/** An alert that fires, and of which nobody was told. */
import type postgres from "postgres";
import type { Name } from "./runs.ts";

export async function insertFiring(
  sql: postgres.Sql,
  { org, id }: Name,
  more: { rule?: string; severity?: string; at?: number } = {},
): Promise<string> {
  const { rule = "BackgroundJobFailing", severity = "warning", at = Date.now() } = more;
  const [when, alert] = [new Date(at), crypto.randomUUID()];
  await sql`insert into alert ${sql({
    ...{ id: alert, rule, org_id: org, name_id: id, severity, state: "firing" },
    ...{ since: when, seen_at: when, known_at: when, fired_at: when, sentence: "Real figures." },
  } as never)}`;
  return alert;
}
