/** Which roles somebody has, by organization. */
import type { Role } from "../core/scope.ts";
import type { Sql } from "../db/client.ts";

export function readRoles(sql: Sql): (person: string) => Promise<[number, Role][]> {
  return async (person) => {
    const rows = await sql<{ org_id: number; role: Role }[]>`
      select org_id, role from membership where person_id = ${person} order by org_id`;
    return rows.map(({ org_id, role }) => [org_id, role]);
  };
}
