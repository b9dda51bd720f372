/** What the live page's filters offer. */
import { seenFleet } from "../../accounts/asked_orgs.ts";
import type { Directory } from "../../accounts/directory.ts";
import { type Scope, sees } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, andOfOrgs } from "../../db/org_filter.ts";

export interface FilterOptions {
  orgs: string[];
  queues: string[];
  workers: string[];
}

const OPTIONS_MAX = 500;

/** Names to choose from; a longer list is cut, and any name can still be typed. */
export async function readFilterOptions(
  reads: Sql,
  directory: Pick<Directory, "all">,
  scope: Scope,
): Promise<FilterOptions> {
  const fleet = seenFleet(scope);
  const orgs = [...directory.all].filter(({ id }) => sees(scope, id));
  const [queues, workers] = await Promise.all([
    reads<{ name: string }[]>`
      select distinct name from queue where true ${andOfOrgs(reads, reads`org_id`, fleet.orgs)}
      order by name limit ${OPTIONS_MAX}`,
    reads<{ name: string }[]>`
      select distinct w.name from worker_connection c join worker w on w.id = c.worker_id
      where c.ended_at is null ${andOfFleet(reads, reads`c.org_id`, fleet)} order by w.name limit ${OPTIONS_MAX}`,
  ]);
  const names = (rows: { name: string }[]) => rows.map((row) => row.name);
  return {
    orgs: names(orgs).sort().slice(0, OPTIONS_MAX),
    queues: names(queues),
    workers: names(workers),
  };
}
