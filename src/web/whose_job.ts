/** Whose a job is, for whoever sees it: asked before anything is done to it or told of it. */
import type { OrgFilter } from "../core/scope.ts";
import type { Sql } from "../db/client.ts";
import { andOfOrgs } from "../db/org_filter.ts";

/** The id of its organization. Null where there is no such job among these organizations. */
export async function orgOfJob(sql: Sql, id: string, orgs: OrgFilter): Promise<number | null> {
  const [row] = await sql`
    select j.org_id from job j where j.id = ${id} ${andOfOrgs(sql, sql`j.org_id`, orgs)}`;
  return (row?.org_id as number | undefined) ?? null;
}
