/** The browsers in which somebody is signed in: to look at, and to end. */
import type { Author } from "../core/author.ts";
import type { Sql } from "../db/client.ts";
import { writeAudit } from "../db/statements/audit.ts";
import { announce, changing, type Writer } from "./announce.ts";

export interface OpenSession {
  id: string;
  createdAt: Date;
  /** When it was last prolonged. */
  seenAt: Date;
  address: string | null;
  /** As the browser calls itself. */
  agent: string | null;
}

interface Row {
  id: string;
  created_at: Date;
  updated_at: Date;
  ip_address: string | null;
  user_agent: string | null;
}

const LIST_MAX = 200;

export class PersonSessions {
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  get #sql(): Sql {
    return this.#writer.sql;
  }

  /** The newest first. */
  async list(person: string): Promise<OpenSession[]> {
    const rows = await this.#sql<Row[]>`
      select id, created_at, updated_at, ip_address, user_agent from person_session
      where user_id = ${person} and expires_at > now() order by created_at desc limit ${LIST_MAX}`;
    return rows.map((row) => ({
      id: row.id,
      createdAt: row.created_at,
      seenAt: row.updated_at,
      address: row.ip_address || null,
      agent: row.user_agent || null,
    }));
  }

  /** False where this person has no such session. */
  async revoke(person: string, id: string, author: Author): Promise<boolean> {
    return await changing(this.#writer, { session: id }, async (tx) => {
      const rows = await tx`
        delete from person_session where user_id = ${person} and id = ${id} returning id`;
      if (rows.length === 0) return false;
      await writeAudit(tx, [
        { org: null, author, action: "session.revoke", objectKind: "person", objectId: person },
      ]);
      return true;
    });
  }

  /** Told after better-auth has ended or changed them; streams opened with them end. */
  async ended(change: { session: string } | { person: string }): Promise<void> {
    await announce(this.#sql, change);
    this.#writer.announcements.tell(change);
  }

  /** A password was changed, and with it all sessions: others are told, this process is at once. */
  passwordChanged(person: string, session: string | null): void {
    this.#writer.announcements.tell({ person });
    if (session !== null) this.#writer.announcements.tell({ session });
  }
}
