/**
 * Everybody who may ask, with a real API token each: of their own, and one that a member narrowed to
 * reading. Rows as the accounts write them, asked about by the real access service.
 */
import { announce } from "../../src/accounts/announce.ts";
import { hashSecret, makeSecret } from "../../src/accounts/token_secrets.ts";
import type { Role } from "../../src/core/scope.ts";
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

/** What each shows as a bearer. */
const SECRETS = new Map<Actor, string>(CAST.map((actor) => [actor, makeSecret("api").secret]));

/** Nothing for who has nothing to show. */
export function credentialOf(actor: Actor): { authorization?: string } {
  return actor === "anonymous" ? {} : { authorization: `Bearer ${SECRETS.get(actor)}` };
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
    if (part !== undefined) {
      await sql`insert into membership (org_id, person_id, role)
        select id, ${actor}, ${part.role}::role from org where name = ${part.org}`;
    }
    await giveToken(sql, actor);
  }
}

async function giveToken(sql: Sql, actor: Actor): Promise<void> {
  const isNarrow = actor === "narrowed";
  const hash = hashSecret(SECRETS.get(actor)!);
  await sql`
    insert into api_token (id, name, hash, hint, person_id, org_id, role, purpose, created_by)
    select gen_random_uuid(), ${nameOf(actor)}, ${hash}, 'sbx_test', ${actor},
      (select id from org where name = ${ACME} and ${isNarrow}), ${isNarrow ? "viewer" : null}::role,
      'api', ${actor}`;
}

/** What they have open ends. */
export async function revoke(sql: Sql, actor: Actor): Promise<void> {
  await sql.begin(async (tx) => {
    const [row] = await tx`
      update api_token set revoked_at = now() where person_id = ${actor} returning id`;
    await announce(tx, { token: row!.id as string });
  });
}

/** Names of people stand in what they do: those of acme bear its word. Two are called the same. */
function nameOf(actor: Actor): string {
  if (actor === "operator" || actor === "member") return `${ACME} Ann`;
  const org = PARTS[actor]?.org;
  return org === undefined ? actor : `${org} ${actor}`;
}
