/**
 * Everybody who may ask, as rows of `person` and `membership` and scopes made of them. A bearer's word is
 * who they are: what a real credential is worth is tested elsewhere.
 */
import type { Access, Caller } from "../../src/accounts/caller.ts";
import type { Directory } from "../../src/accounts/directory.ts";
import {
  narrowed,
  personScope,
  type Role,
  type Scope,
  strangerScope,
  superuserScope,
} from "../../src/core/scope.ts";
import type { Sql } from "../../src/db/client.ts";

/** The first five are of acme, the foreigner of open; narrowed holds a member's token that only reads acme. */
export const CAST = [
  "superuser",
  "owner",
  "operator",
  "member",
  "viewer",
  "foreigner",
  "anonymous",
  "narrowed",
] as const;
export type Actor = (typeof CAST)[number];

const NARROW_TOKEN = "0198c0de-8f00-7abc-8def-00000000000a";

/** Names of organizations, and a word in every name that they give. */
export const ACME = "zqacme";
export const OPEN = "zqopen";

interface Part {
  org: string;
  role: Role;
}

const PARTS: Partial<Record<Actor, Part>> = {
  owner: { org: ACME, role: "owner" },
  operator: { org: ACME, role: "operator" },
  member: { org: ACME, role: "member" },
  viewer: { org: ACME, role: "viewer" },
  narrowed: { org: ACME, role: "member" },
  foreigner: { org: OPEN, role: "member" },
};

export interface CastAccess extends Access {
  /** As when the credential is revoked: ends what this one has open. */
  revoke(actor: Actor): void;
  /** How many streams would be told. */
  watched(): number;
}

/** Makes both organizations and everybody in them. */
export async function engageCast(sql: Sql): Promise<void> {
  await sql`insert into org (name, title, is_public) values
    (${ACME}, ${`${ACME} title`}, false), (${OPEN}, ${`${OPEN} title`}, true)`;
  for (const actor of CAST) {
    if (actor === "anonymous") continue;
    const part = PARTS[actor];
    const name = nameOf(actor);
    await sql`insert into person (id, name, email, is_superuser)
      values (${actor}, ${name}, ${`${actor}@example.org`}, ${actor === "superuser"})`;
    if (part === undefined) continue;
    await sql`insert into membership (org_id, person_id, role)
      select id, ${actor}, ${part.role}::role from org where name = ${part.org}`;
  }
}

/** Names of people stand in what they do: those of acme bear its word. Two are called the same. */
function nameOf(actor: Actor): string {
  if (actor === "operator" || actor === "member") return `${ACME} Ann`;
  const org = PARTS[actor]?.org;
  return org === undefined ? actor : `${org} ${actor}`;
}

export function castAccess(sql: Sql, directory: Directory): CastAccess {
  const ends = new Map<() => void, Actor>();
  return {
    authenticate: async (request, address) => {
      const word = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
      const actor = (word ?? "anonymous") as Actor;
      if (!CAST.includes(actor)) return null;
      return callerOf(actor, await scopeOf(sql, directory, actor), address ?? null);
    },
    watch: (caller, end) => {
      const actor = (caller.credential.person ?? "anonymous") as Actor;
      const once = () => {
        ends.delete(once);
        end();
      };
      ends.set(once, actor);
      return () => ends.delete(once);
    },
    revoke: (actor) => {
      for (const [end, whose] of [...ends]) if (whose === actor) end();
    },
    watched: () => ends.size,
  };
}

async function scopeOf(sql: Sql, directory: Directory, actor: Actor): Promise<Scope> {
  if (actor === "superuser") return superuserScope();
  if (actor === "anonymous") return strangerScope(directory.open);
  const rows = await sql<{ org_id: number; role: Role }[]>`
    select org_id, role from membership where person_id = ${actor}`;
  const roles = rows.map(({ org_id, role }) => [org_id, role] as [number, Role]);
  const scope = personScope(roles, directory.open);
  if (actor !== "narrowed") return scope;
  return narrowed(scope, { org: directory.byName(ACME)!.id, role: "viewer" });
}

function callerOf(actor: Actor, scope: Scope, address: string | null): Caller {
  const person = actor === "anonymous" ? null : actor;
  const token = actor === "narrowed" ? NARROW_TOKEN : null;
  return {
    author: { name: nameOf(actor), user: person, token, address },
    scope,
    via: person === null ? "nobody" : "token",
    credential: { person, session: null, token, expiresAt: null },
  };
}
