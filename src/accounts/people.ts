/**
 * People: made by superusers and by invitations, never by themselves. Each change is one transaction
 * with its row in the audit log, and is told to every server at its commit.
 */
import { hashPassword } from "better-auth/crypto";
import { v7 as uuidv7 } from "uuid";
import type { Author } from "../core/author.ts";
import type { Role } from "../core/scope.ts";
import type { Sql, Transaction } from "../db/client.ts";
import { writeAudit } from "../db/statements/audit.ts";
import { changing, type Writer } from "./announce.ts";
import { PASSWORD_MAX, PASSWORD_MIN } from "./identity.ts";
import { keepOwner, note } from "./members.ts";
import { Refused } from "./refused.ts";

export interface Person {
  id: string;
  name: string;
  email: string;
  isSuperuser: boolean;
  createdAt: Date;
}

export interface NewPerson {
  name: string;
  email: string;
  /** None: signs in by the provider only. */
  password: string | null;
  isSuperuser: boolean;
}

interface PersonRow {
  id: string;
  name: string;
  email: string;
  is_superuser: boolean;
  created_at: Date;
}

const NAME_MAX = 100;
const EMAIL = /^[^\s@<>"\p{Cc}]{1,64}@[^\s@<>"\p{Cc}]{1,190}$/u;

export class People {
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  get #sql(): Sql {
    return this.#writer.sql;
  }

  /** False on a server that nobody has an account on yet. */
  async exist(): Promise<boolean> {
    const [row] = await this.#sql`select 1 from person limit 1`;
    return row !== undefined;
  }

  async list({ after, limit }: { after: string; limit: number }): Promise<Person[]> {
    const rows = await this.#sql<PersonRow[]>`
      select id, name, email, is_superuser, created_at from person
      where id > ${after} order by id limit ${limit}`;
    return rows.map(personOf);
  }

  async find(id: string): Promise<Person | null> {
    const [row] = await this.#sql<PersonRow[]>`
      select id, name, email, is_superuser, created_at from person where id = ${id}`;
    return row ? personOf(row) : null;
  }

  /** Throws Refused for what is no name, address or password, and for a known address. */
  async create(input: NewPerson, author: Author): Promise<Person> {
    const person = { ...(await preparePerson(input)), isKnown: true };
    return await this.#sql.begin((tx) => insertPerson(tx, person, author));
  }

  /** The first of all, a superuser. Throws Refused where somebody was quicker. */
  async createFirst(input: Omit<NewPerson, "isSuperuser">, author: Author): Promise<Person> {
    const prepared = await preparePerson({ ...input, isSuperuser: true });
    const person = { ...prepared, isKnown: true };
    return await this.#sql.begin(async (tx) => {
      await tx`lock table person in share row exclusive mode`;
      const [row] = await tx`select 1 from person limit 1`;
      if (row) throw new Refused("conflict", "There is an account already. Sign in.");
      return insertPerson(tx, person, author);
    });
  }

  /** False where there is no such person. Nobody takes the last superuser's rights. */
  async setSuperuser(id: string, isSuperuser: boolean, author: Author): Promise<boolean> {
    return await changing(this.#writer, { person: id }, async (tx) => {
      const others = await otherSuperusers(tx, id);
      const before = await lock(tx, id);
      if (!before) return false;
      if (before.is_superuser === isSuperuser) return true;
      if (!isSuperuser) keepOne(others);
      await tx`update person set is_superuser = ${isSuperuser}, updated_at = now() where id = ${id}`;
      await writeAudit(tx, [
        {
          ...entry(before, author, "person.change"),
          before: { is_superuser: before.is_superuser },
          after: { is_superuser: isSuperuser },
        },
      ]);
      return true;
    });
  }

  /** With sessions, memberships and tokens. False where there is no such person. */
  async remove(id: string, author: Author, reason: string | null): Promise<boolean> {
    return await changing(this.#writer, { person: id }, async (tx) => {
      const others = await otherSuperusers(tx, id);
      const before = await lock(tx, id);
      if (!before) return false;
      if (before.is_superuser) keepOne(others);
      await leaveAll(tx, id, author, reason);
      await endTokens(tx, id, author, reason);
      await tx`delete from person where id = ${id}`;
      const was = { name: before.name, email: before.email };
      await writeAudit(tx, [{ ...entry(before, author, "person.remove"), reason, before: was }]);
      return true;
    });
  }
}

/** `isKnown`: whoever makes the account answers for the address, so that a provider may be joined to it. */
export type PreparedPerson = Omit<NewPerson, "password"> & {
  hash: string | null;
  isKnown: boolean;
};

/** Checks a new person's facts and hashes the password, which takes a while: outside any transaction. */
export async function preparePerson({
  name,
  email,
  password,
  isSuperuser,
}: NewPerson): Promise<PreparedPerson> {
  const own = { name: name.trim(), email: email.trim().toLowerCase() };
  if (own.name === "" || own.name.length > NAME_MAX || hasControls(own.name)) {
    throw new Refused("invalid", `A name has 1 to ${NAME_MAX} letters.`, "name");
  }
  checkAddress(own.email);
  checkPassword(password);
  return {
    ...own,
    isSuperuser,
    isKnown: false,
    hash: password === null ? null : await hashPassword(password),
  };
}

/** Throws Refused for what is no address. */
export function checkAddress(email: string): void {
  if (EMAIL.test(email)) return;
  throw new Refused("invalid", "Write an address such as ada@example.org.", "email");
}

function checkPassword(password: string | null): void {
  if (password === null) return;
  if (password.length < PASSWORD_MIN || password.length > PASSWORD_MAX) {
    const text = `A password has ${PASSWORD_MIN} to ${PASSWORD_MAX} characters.`;
    throw new Refused("invalid", text, "password");
  }
}

function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** Throws Refused for an address that has an account. */
export async function insertPerson(
  tx: Transaction,
  person: PreparedPerson,
  author: Author,
): Promise<Person> {
  const [row] = await tx<PersonRow[]>`
    insert into person (id, name, email, email_verified, is_superuser)
    values (${uuidv7()}, ${person.name}, ${person.email}, ${person.isKnown}, ${person.isSuperuser})
    on conflict (email) do nothing
    returning id, name, email, is_superuser, created_at`;
  if (!row) throw new Refused("conflict", `${person.email} has an account.`, "email");
  if (person.hash !== null) {
    await tx`
      insert into person_account (id, account_id, provider_id, user_id, password)
      values (${uuidv7()}, ${row.id}, 'credential', ${row.id}, ${person.hash})`;
  }
  const after = { name: row.name, email: row.email, is_superuser: row.is_superuser };
  await writeAudit(tx, [{ ...entry(row, author, "person.create"), after }]);
  return personOf(row);
}

async function lock(tx: Transaction, id: string): Promise<PersonRow | undefined> {
  const [row] = await tx<PersonRow[]>`
    select id, name, email, is_superuser, created_at from person where id = ${id} for update`;
  return row;
}

/** Locked in one order: two who take each other's rights at the same time must not both succeed. */
async function otherSuperusers(tx: Transaction, id: string): Promise<number> {
  const all = await tx`select id from person where is_superuser order by id for update`;
  return all.filter((one) => one.id !== id).length;
}

function keepOne(others: number): void {
  if (others > 0) return;
  throw new Refused("conflict", "Somebody must stay a superuser: make another one first.");
}

/** Each organization reads in its own log that somebody is gone. */
async function leaveAll(tx: Transaction, person: string, author: Author, reason: string | null) {
  const rows = await tx<{ id: number; name: string; role: Role }[]>`
    select o.id, o.name, m.role from membership m join org o on o.id = m.org_id
    where m.person_id = ${person} order by o.id for update of m`;
  for (const { role, ...org } of rows) {
    if (role === "owner") await keepOwner(tx, org, person);
    await note(tx, org, person, author, { before: role, after: null, reason });
  }
}

async function endTokens(tx: Transaction, person: string, author: Author, reason: string | null) {
  const rows = await tx<{ id: string; org_id: number | null; name: string; hint: string }[]>`
    select id, org_id, name, hint from api_token
    where person_id = ${person} and revoked_at is null order by id`;
  const action = "token.revoke";
  await writeAudit(
    tx,
    rows.map(({ id, org_id: org, ...before }) => ({
      ...{ org, author, action, objectKind: "token", objectId: id, reason, before },
    })),
  );
}

function entry({ id }: PersonRow, author: Author, action: string) {
  return { org: null, author, action, objectKind: "person", objectId: id };
}

function personOf(row: PersonRow): Person {
  const { id, name, email } = row;
  return { id, name, email, isSuperuser: row.is_superuser, createdAt: row.created_at };
}
