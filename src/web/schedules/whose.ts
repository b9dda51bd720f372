/** Which schedule an id means to a caller. */
import { type Scope, seenOrgs } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import { PageError } from "../errors.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Throws PageError 404 where it sees none of that id. */
export async function requireScheduleOf(
  { database }: { database: { reads: Sql } },
  scope: Scope,
  id: string,
): Promise<{ org: string; name: string }> {
  const sql = database.reads;
  const [row] = UUID.test(id)
    ? await sql<{ org: string; name: string }[]>`
        select o.name as org, s.name from schedule s join org o on o.id = s.org_id
        where s.id = ${id} ${andOfOrgs(sql, sql`s.org_id`, seenOrgs(scope))}`
    : [];
  if (row !== undefined) return row;
  throw new PageError(
    404,
    "No such schedule",
    "It was deleted, the address is wrong, or it is not yours.",
  );
}
