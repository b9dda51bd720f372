/** Which job names a runbook page shows figures of. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";

const NAMES_MAX = 50;

/** Those that the rule holds something of, and the one that is asked for; of these organizations. */
export async function evidenceNames(
  reads: Sql,
  orgs: OrgFilter,
  { rule, name }: { rule: string; name: string },
): Promise<number[]> {
  const rows = await reads<{ id: number }[]>`
    select id from (
      select a.name_id as id from alert a
      where a.rule = ${rule} ${andOfOrgs(reads, reads`a.org_id`, orgs)}
      union select n.id from job_name n
      where n.name = ${name} and n.counted ${andOfOrgs(reads, reads`n.org_id`, orgs)}) t
    order by id limit ${NAMES_MAX}`;
  return rows.map((row) => row.id);
}
