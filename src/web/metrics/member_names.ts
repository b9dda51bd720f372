/** What the members of a split are called. The caller has seen them already: their ids come from a masked read. */
import type { Dimension } from "../../core/metrics/catalogue.ts";
import type { Sql } from "../../db/client.ts";

/** By id; names of queues and jobs may repeat over organizations. */
export async function memberNames(
  reads: Sql,
  by: Dimension,
  ids: readonly number[],
): Promise<Map<number, string>> {
  const table = { org: "org", queue: "queue", name: "job_name", worker: "worker" }[by];
  const own = ids.filter((id) => id > 0);
  if (own.length === 0) return new Map();
  const rows = await reads<{ id: number; name: string }[]>`
    select id, name from ${reads(table)} where id = any(${own}::int[])`;
  return new Map(rows.map((row) => [row.id, row.name]));
}
