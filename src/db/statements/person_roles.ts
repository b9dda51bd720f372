/** What decides what a person may: whether they are a superuser, and their role in each organization. */
import type { Role } from "../../core/scope.ts";
import type { Sql } from "../client.ts";

export interface PersonRoles {
  name: string;
  isSuperuser: boolean;
  /** By organization id. */
  roles: ReadonlyMap<number, Role>;
}

const READ = `
select p.name, p.is_superuser, m.org_id, m.role
from person p left join membership m on m.person_id = p.id where p.id = $1`;

/** Null where there is no such person (any more). */
export async function readPersonRoles(sql: Sql, person: string): Promise<PersonRoles | null> {
  const rows = (await sql.unsafe(READ, [person], { prepare: true })) as unknown as {
    name: string;
    is_superuser: boolean;
    org_id: number | null;
    role: Role | null;
  }[];
  const [first] = rows;
  if (first === undefined) return null;
  const roles = rows.flatMap(({ org_id, role }) =>
    org_id === null || role === null ? [] : [[org_id, role] as const],
  );
  return { name: first.name, isSuperuser: first.is_superuser, roles: new Map(roles) };
}
