/**
 * Invitations: links that make whoever opens them a member, once. No mail is sent: the link is shown to
 * whoever made it, once, and they pass it on. Only a hash of it is kept.
 */
import { randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Author } from "../core/author.ts";
import { lesser, mayGrant, type Role } from "../core/scope.ts";
import type { Sql, Transaction } from "../db/client.ts";
import { writeAudit } from "../db/statements/audit.ts";
import { changing, type Writer } from "./announce.ts";
import { type Granter, join, note, refuseTokens } from "./members.ts";
import {
  checkAddress,
  insertPerson,
  type NewPerson,
  type Person,
  preparePerson,
} from "./people.ts";
import { Refused } from "./refused.ts";
import { hashSecret } from "./token_secrets.ts";

const DAYS = 7;
const LIST_MAX = 200;

export interface Invitation {
  id: string;
  org: number;
  role: Role;
  /** For this address only; null: for whoever has the link. */
  email: string | null;
  createdAt: Date;
  createdBy: string;
  expiresAt: Date;
}

interface Org {
  id: number;
  name: string;
}

interface Row {
  id: string;
  org_id: number;
  role: Role;
  email: string | null;
  created_at: Date;
  created_by: string;
  expires_at: Date;
  by_superuser?: boolean;
  by_role?: Role | null;
}

export class Invitations {
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  get #sql(): Sql {
    return this.#writer.sql;
  }

  /** Those that can still be accepted, the newest first. */
  async list(org: number): Promise<Invitation[]> {
    return (await this.page(org, { before: null, limit: LIST_MAX })).items;
  }

  /** Of them a page: from before an id. A page may hold fewer, for makers who may not invite any more. */
  async page(
    org: number,
    { before, limit }: { before: string | null; limit: number },
  ): Promise<{ items: Invitation[]; next: string | null }> {
    const rows = await this.#sql<Row[]>`
      select id, org_id, role, email, created_at, created_by, expires_at, ${makerOf(this.#sql)}
      from invitation i
      where org_id = ${org} and accepted_at is null and revoked_at is null and expires_at > now()
        and (${before}::uuid is null or id < ${before}::uuid)
      order by id desc limit ${limit + 1}`;
    const own = rows.slice(0, limit).map((row) => ({ row, invitation: invitationOf(row) }));
    const next = rows.length > limit ? own.at(-1)!.invitation.id : null;
    const open = own.filter(({ row }) => makerMayStill(row));
    return { items: open.map(({ invitation }) => invitation), next };
  }

  /** The secret is in the answer, and nowhere else ever again. */
  async create(
    org: Org,
    { role, email }: { role: Role; email: string | null },
    by: Granter,
  ): Promise<{ invitation: Invitation; secret: string }> {
    refuseTokens(by);
    if (!mayGrant(by.role, role)) {
      const text = `You are ${by.role} in ${org.name}: you cannot invite an ${role}.`;
      throw new Refused("forbidden", text, "role");
    }
    const secret = randomBytes(32).toString("base64url");
    const own = email?.trim().toLowerCase() || null;
    if (own !== null) checkAddress(own);
    const invitation = await this.#sql.begin(async (tx) => {
      const [row] = await tx<Row[]>`
        insert into invitation (id, org_id, role, email, hash, created_by, person_id, expires_at)
        values (${uuidv7()}, ${org.id}, ${role}::role, ${own}, ${hashSecret(secret)}, ${by.author.name},
          ${by.person}, now() + make_interval(days => ${DAYS}))
        returning id, org_id, role, email, created_at, created_by, expires_at`;
      const after = { role, email: own };
      await writeAudit(tx, [{ ...entry(row!, by.author, "invitation.create"), after }]);
      return invitationOf(row!);
    });
    return { invitation, secret };
  }

  /** False where there is none that could still be accepted. */
  async revoke(org: Org, id: string, author: Author): Promise<boolean> {
    return await this.#sql.begin(async (tx) => {
      const [row] = await tx<Row[]>`
        update invitation set revoked_at = now()
        where org_id = ${org.id} and id = ${id} and accepted_at is null and revoked_at is null
        returning id, org_id, role, email, created_at, created_by, expires_at`;
      if (!row) return false;
      const before = { role: row.role, email: row.email };
      await writeAudit(tx, [{ ...entry(row, author, "invitation.revoke"), before }]);
      return true;
    });
  }

  /** What a link leads to; null where it was used, taken back, or is too old. */
  async find(secret: string): Promise<Invitation | null> {
    const row = await open(this.#sql, secret);
    return row ? invitationOf(row) : null;
  }

  /** A member keeps the better of both roles. Throws Refused where the link opens nothing. */
  async accept(secret: string, person: Person, author: Author): Promise<number> {
    return await changing(this.#writer, { person: person.id }, (tx) =>
      accept(tx, secret, person, author),
    );
  }

  /** Makes the account too, in the same transaction: a link makes one, or nothing. */
  async acceptAsNew(
    secret: string,
    input: Omit<NewPerson, "isSuperuser">,
    author: Author,
  ): Promise<Person> {
    const prepared = await preparePerson({ ...input, isSuperuser: false });
    return await this.#sql.begin(async (tx) => {
      const named = { ...author, name: prepared.name };
      const person = await insertPerson(tx, prepared, named);
      await accept(tx, secret, person, { ...named, user: person.id });
      return person;
    });
  }
}

async function accept(tx: Transaction, secret: string, person: Person, author: Author) {
  const row = await open(tx, secret);
  if (!row) throw new Refused("conflict", "This invitation was used or taken back, or is too old.");
  if (row.email !== null && row.email !== person.email) {
    throw new Refused("forbidden", "This invitation is for another address.", "email");
  }
  // Two links that one person opens at once: the second sees what the first has made of them.
  await tx`select 1 from person where id = ${person.id} for update`;
  const [org] = await tx<Org[]>`select id, name from org where id = ${row.org_id}`;
  const [known] = await tx<{ role: Role }[]>`
    select role from membership where org_id = ${row.org_id} and person_id = ${person.id} for update`;
  await tx`
    update invitation set accepted_at = now(), accepted_by = ${person.id} where id = ${row.id}`;
  // An invitation raises, and never lowers: an owner who opens a link for viewers stays an owner.
  if (known && lesser(known.role, row.role) === row.role) return row.org_id;
  await join(tx, row.org_id, person.id, row.role);
  await note(tx, org!, person.id, author, { before: known?.role ?? null, after: row.role });
  return row.org_id;
}

/** Locked, so that a link that two open at once is accepted by one. */
async function open(sql: Sql | Transaction, secret: string): Promise<Row | undefined> {
  const [row] = await sql<Row[]>`
    select id, org_id, role, email, created_at, created_by, expires_at, ${makerOf(sql)}
    from invitation i
    where hash = ${hashSecret(secret)} and accepted_at is null and revoked_at is null
      and expires_at > now()
    for update`;
  return row && makerMayStill(row) ? row : undefined;
}

/** What whoever made it is by now: an owner who was removed must leave no link behind. */
function makerOf(sql: Sql | Transaction) {
  return sql`person_id is null or (
      select p.is_superuser from person p where p.id = i.person_id) as by_superuser,
    (select m.role from membership m
      where m.org_id = i.org_id and m.person_id = i.person_id) as by_role`;
}

function makerMayStill({ by_superuser, by_role, role }: Row): boolean {
  return by_superuser === true || (by_role != null && mayGrant(by_role, role));
}

function entry(row: Row, author: Author, action: string) {
  return { org: row.org_id, author, action, objectKind: "invitation", objectId: row.id };
}

function invitationOf(row: Row): Invitation {
  const { id, role, email } = row;
  return {
    id,
    org: row.org_id,
    role,
    email,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
  };
}
