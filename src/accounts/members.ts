/** Who is in an organization, and as what. Nobody gives or takes more than they have themselves. */
import type { Author } from "../core/author.ts";
import { mayGrant, type Role, roleIn } from "../core/scope.ts";
import type { Sql, Transaction } from "../db/client.ts";
import { writeAudit } from "../db/statements/audit.ts";
import { changing, type Writer } from "./announce.ts";
import type { Caller } from "./caller.ts";
import { Refused } from "./refused.ts";

export interface Member {
  person: string;
  name: string;
  email: string;
  role: Role;
  since: Date;
}

/** Who changes a membership: their own role in the organization decides what they may. */
export interface Granter {
  author: Author;
  role: Role;
  /** Their own person, who may always leave. */
  person: string | null;
  /** They showed an API token: it must not make anybody who outlives it. */
  isToken: boolean;
}

/** The caller, as one whose role in the organization decides what they may grant. */
export function granterOf({ author, scope, credential }: Caller, org: { id: number }): Granter {
  const role = roleIn(scope, org.id) ?? "viewer";
  return { author, role, person: credential.person, isToken: credential.token !== null };
}

interface Org {
  id: number;
  name: string;
}

interface MemberRow {
  person_id: string;
  name: string;
  email: string;
  role: Role;
  created_at: Date;
}

export class Members {
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  get #sql(): Sql {
    return this.#writer.sql;
  }

  /** By person's id. */
  async list(org: number, { after, limit }: { after: string; limit: number }): Promise<Member[]> {
    const rows = await this.#sql<MemberRow[]>`
      select m.person_id, p.name, p.email, m.role, m.created_at
      from membership m join person p on p.id = m.person_id
      where m.org_id = ${org} and m.person_id > ${after} order by m.person_id limit ${limit}`;
    return rows.map((row) => ({
      person: row.person_id,
      name: row.name,
      email: row.email,
      role: row.role,
      since: row.created_at,
    }));
  }

  async has(org: number, person: string): Promise<boolean> {
    const [row] = await this.#sql`
      select 1 from membership where org_id = ${org} and person_id = ${person}`;
    return row !== undefined;
  }

  /** Makes somebody a member, or another kind of member. False where there is no such person. */
  async set(org: Org, person: string, role: Role, by: Granter): Promise<boolean> {
    refuseTokens(by);
    return await changing(this.#writer, { person }, async (tx) => {
      const [known] = await tx`select 1 from person where id = ${person} for share`;
      if (!known) return false;
      const before = await lock(tx, org.id, person);
      if (before === role) return true;
      check(by, org, role);
      if (before) check(by, org, before);
      if (before === "owner") await keepOwner(tx, org, person);
      await join(tx, org.id, person, role);
      await note(tx, org, person, by.author, { before, after: role });
      return true;
    });
  }

  /** False where they are no member. Everybody may leave, but the last owner. */
  async remove(org: Org, person: string, by: Granter, reason: string | null): Promise<boolean> {
    refuseTokens(by);
    return await changing(this.#writer, { person }, async (tx) => {
      const before = await lock(tx, org.id, person);
      if (!before) return false;
      if (by.person !== person) check(by, org, before);
      if (before === "owner") await keepOwner(tx, org, person);
      await tx`delete from membership where org_id = ${org.id} and person_id = ${person}`;
      await note(tx, org, person, by.author, { before, after: null, reason });
      return true;
    });
  }
}

/** Makes or changes a membership within a transaction that tells of it itself. */
export async function join(
  tx: Transaction,
  org: number,
  person: string,
  role: Role,
): Promise<void> {
  await tx`
    insert into membership (org_id, person_id, role) values (${org}, ${person}, ${role}::role)
    on conflict (org_id, person_id) do update set role = excluded.role`;
}

interface Step {
  before: Role | null;
  after: Role | null;
  reason?: string | null;
}

/** The line in the audit log. */
export async function note(
  tx: Transaction,
  org: Org,
  person: string,
  author: Author,
  { before, after, reason }: Step,
): Promise<void> {
  const action =
    before === null ? "member.add" : after === null ? "member.remove" : "member.change";
  const as = (role: Role | null) => (role === null ? null : { role });
  await writeAudit(tx, [
    {
      org: org.id,
      author,
      action,
      objectKind: "member",
      objectId: person,
      reason: reason ?? null,
      before: as(before),
      after: as(after),
    },
  ]);
}

async function lock(tx: Transaction, org: number, person: string): Promise<Role | null> {
  // All of the organization's, in one order: two owners who leave at once must not both succeed.
  const rows = await tx<{ person_id: string; role: Role }[]>`
    select person_id, role from membership
    where org_id = ${org} and (person_id = ${person} or role = 'owner') order by person_id for update`;
  return rows.find((row) => row.person_id === person)?.role ?? null;
}

/** Throws Refused where nobody else owns it. */
export async function keepOwner(tx: Transaction, org: Org, person: string): Promise<void> {
  const [other] = await tx`
    select 1 from membership
    where org_id = ${org.id} and role = 'owner' and person_id <> ${person} limit 1`;
  if (other) return;
  const text = `${org.name} would be without an owner: make another one first.`;
  throw new Refused("conflict", text);
}

export function refuseTokens({ isToken }: Granter): void {
  if (!isToken) return;
  const text =
    "A token changes no members and invites nobody: sign in, or use the server's admin token.";
  throw new Refused("forbidden", text);
}

function check(by: Granter, org: Org, role: Role): void {
  if (mayGrant(by.role, role)) return;
  const text = `You are ${by.role} in ${org.name}: who is or becomes ${role} is not yours to decide.`;
  throw new Refused("forbidden", text);
}
