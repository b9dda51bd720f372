/** What the live page's filters offer. */
import type { Sql } from "../../db/client.ts";

export interface FilterOptions {
  orgs: string[];
  queues: string[];
  workers: string[];
}

const OPTIONS_MAX = 500;

/** Names to choose from; a longer list is cut, and any name can still be typed. */
export async function readFilterOptions(reads: Sql): Promise<FilterOptions> {
  const [orgs, queues, workers] = await Promise.all([
    reads<{ name: string }[]>`select name from org order by name limit ${OPTIONS_MAX}`,
    reads<{ name: string }[]>`select distinct name from queue order by name limit ${OPTIONS_MAX}`,
    reads<{ name: string }[]>`
      select distinct w.name from worker_connection c join worker w on w.id = c.worker_id
      where c.ended_at is null order by w.name limit ${OPTIONS_MAX}`,
  ]);
  const names = (rows: { name: string }[]) => rows.map((row) => row.name);
  return { orgs: names(orgs), queues: names(queues), workers: names(workers) };
}
