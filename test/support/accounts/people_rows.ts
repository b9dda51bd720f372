/** People, organizations and roles as rows, told to the server as any other change is. */
import { randomUUID } from "node:crypto";
import { announce } from "../../../src/accounts/announce.ts";
import type { Sessions } from "../../../src/accounts/sessions.ts";
import type { Role } from "../../../src/core/scope.ts";
import type { Sql } from "../../../src/db/client.ts";

export async function addOrg(sql: Sql, name: string, isPublic = false): Promise<number> {
  return sql.begin(async (tx) => {
    const [row] = await tx`
      insert into org (name, is_public) values (${name}, ${isPublic}) returning id`;
    await announce(tx, { orgs: true });
    return row!.id as number;
  });
}

export async function addPerson(
  sql: Sql,
  name: string,
  { isSuperuser = false, roles = [] as readonly (readonly [number, Role])[] } = {},
): Promise<string> {
  const id = randomUUID();
  await sql`insert into person (id, name, email, is_superuser)
    values (${id}, ${name}, ${`${id}@example.org`}, ${isSuperuser})`;
  for (const [org, role] of roles) await setRole(sql, id, org, role);
  return id;
}

/** Null takes it away. */
export async function setRole(
  sql: Sql,
  person: string,
  org: number,
  role: Role | null,
): Promise<void> {
  await sql.begin(async (tx) => {
    if (role === null) {
      await tx`delete from membership where person_id = ${person} and org_id = ${org}`;
    } else {
      await tx`insert into membership (org_id, person_id, role) values (${org}, ${person}, ${role})
        on conflict (org_id, person_id) do update set role = excluded.role`;
    }
    await announce(tx, { person });
  });
}

/** Sessions by the value of a cookie, in place of the pages where people sign in. */
export class CookieJar implements Pick<Sessions, "of"> {
  readonly #people = new Map<string, string>();
  expiresAt = Date.now() + 3_600_000;

  /** A `cookie` header that is this person's. */
  signIn(person: string): string {
    const session = randomUUID();
    this.#people.set(session, person);
    return `test_session=${session}`;
  }

  signOut(cookie: string): void {
    this.#people.delete(cookie.slice("test_session=".length));
  }

  async of(request: Request) {
    const session = /test_session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1] ?? "";
    const person = this.#people.get(session);
    if (person === undefined) return null;
    const { expiresAt } = this;
    return { person, session, name: person, isSuperuser: false, expiresAt };
  }
}
