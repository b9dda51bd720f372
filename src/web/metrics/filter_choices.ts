/** What the filters of chart pages offer: organizations, queues and names that the caller sees. */
import type { Directory } from "../../accounts/directory.ts";
import { covers } from "../../core/org_filter.ts";
import { type Scope, seenOrgs } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";

export interface FilterChoices {
  orgs: string[];
  queues: string[];
  names: string[];
}

/** A list longer than this helps nobody to choose. */
const CHOICES_MAX = 200;

export async function readFilterChoices(
  deps: { database: { reads: Sql }; directory: Directory },
  scope: Scope,
  wanted: readonly string[],
): Promise<FilterChoices> {
  const orgs = seenOrgs(scope);
  const { reads } = deps.database;
  const named = async (table: "queue" | "job_name") => {
    const rows = await reads<{ name: string }[]>`
      select distinct name from (
        select name from ${reads(table)} where true ${andOfOrgs(reads, reads`org_id`, orgs)}
        order by id limit ${CHOICES_MAX}) t order by name`;
    return rows.map((row) => row.name);
  };
  const [queues, names] = await Promise.all([
    wanted.includes("queue") ? named("queue") : [],
    wanted.includes("name") ? named("job_name") : [],
  ]);
  const all = [...deps.directory.all].filter((org) => covers(orgs, org.id));
  return { orgs: wanted.includes("org") ? all.map((org) => org.name) : [], queues, names };
}
