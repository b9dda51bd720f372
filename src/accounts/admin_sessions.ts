/**
 * Browsers in which the admin token was entered, or a one-time link opened. A row each, like the
 * sessions of people, so that signing out ends a copy of the cookie too; and bound to the token, so
 * that a new token ends them all. Only a hash of the cookie is kept.
 */
import { createHmac, randomBytes } from "node:crypto";
import { changing, type Writer } from "./announce.ts";
import { cookieOf, type SessionFacts, type SessionSource } from "./sessions.ts";

const COOKIE = "signalbox_admin";
/** 24 random bytes. */
const OURS = /^[\w-]{32}$/;
const SESSION_SECONDS = 7 * 24 * 3_600;
/** How the table's rows of ours are told from those of sign-ins under way. */
const KIND = "admin-session";

export interface AdminSessions extends SessionSource {
  /** The `Set-Cookie` value of a new one. */
  open(secure: boolean): Promise<string>;
  /** Ends the request's session with its streams, and says so to the browser; null where it has none. */
  close(request: Request, secure: boolean): Promise<string | null>;
}

export function createAdminSessions(writer: Writer, adminToken: string): AdminSessions {
  const { sql } = writer;
  const hashOf = (cookie: string) =>
    createHmac("sha256", adminToken).update(cookie.slice(0, 200)).digest("base64url");

  async function read(request: Request): Promise<SessionFacts | null> {
    const cookie = cookieOf(request, COOKIE);
    if (!cookie || !OURS.test(cookie)) return null;
    const [row] = await sql<{ id: string; expires_at: Date }[]>`
      select id, expires_at from verification
      where identifier = ${KIND} and value = ${hashOf(cookie)} and expires_at > now()`;
    if (!row) return null;
    const expiresAt = row.expires_at.getTime();
    return { person: null, session: row.id, name: "admin", isSuperuser: true, expiresAt };
  }

  const end = (session: string) =>
    changing(
      writer,
      { session },
      (tx) => tx`
      delete from verification where identifier = ${KIND} and id = ${session}`,
    );

  return {
    cookieOf: (request) => cookieOf(request, COOKIE),
    read,
    open: async (secure) => {
      const secret = randomBytes(24).toString("base64url");
      await sql`
        with gone as (delete from verification where identifier = ${KIND} and expires_at <= now())
        insert into verification (id, identifier, value, expires_at)
        values (${randomBytes(12).toString("base64url")}, ${KIND}, ${hashOf(secret)},
          now() + make_interval(secs => ${SESSION_SECONDS}))`;
      return cookie(secret, SESSION_SECONDS, secure);
    },
    close: async (request, secure) => {
      const own = cookieOf(request, COOKIE);
      if (!own) return null;
      const facts = await read(request);
      if (facts) await end(facts.session);
      return cookie("", 0, secure);
    },
  };
}

/** `Lax`, so that a link to a job in a chat opens it; unsafe methods check their origin besides. */
function cookie(value: string, seconds: number, secure: boolean): string {
  const flags = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? "; Secure" : ""}`;
  return `${COOKIE}=${value}; ${flags}`;
}
