/** Operations of a kind that go on, or ended a moment ago. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import { type OperationRow, readOperation } from "../jobs/operation.ts";

/** So many of the newest are looked at: operations are asked for by people. */
const LOOKED_AT = 100;

/** The newest first. @param ask.since epoch milliseconds: those that ended before are left out */
export async function readOperations(
  sql: Sql,
  orgs: OrgFilter,
  ask: { kind: string; since: number; limit: number },
): Promise<OperationRow[]> {
  const rows = await sql<{ id: string }[]>`
    select id from (
      select p.id, p.kind, p.finished_at from operation p
      where true ${andOfOrgs(sql, sql`p.org_id`, orgs)} order by p.id desc limit ${LOOKED_AT}) newest
    where kind = ${ask.kind} and (finished_at is null or finished_at > ${new Date(ask.since)})
    order by id desc limit ${ask.limit}`;
  const found = await Promise.all(rows.map(({ id }) => readOperation(sql, id, orgs)));
  return found.filter((row) => row !== null);
}
