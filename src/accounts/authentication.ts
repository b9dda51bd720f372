/** Everything that signing in is made of, put together. */
import type { Database } from "../db/client.ts";
import { type AdminSessions, createAdminSessions } from "./admin_sessions.ts";
import type { Writer } from "./announce.ts";
import { createIdentity, type Identity, type OidcSettings } from "./identity.ts";
import { People } from "./people.ts";
import { PersonSessions } from "./person_sessions.ts";
import { personSessions, Sessions } from "./sessions.ts";
import { derivedKey } from "./token_secrets.ts";

export interface Authentication {
  identity: Identity;
  people: People;
  /** Whose browser a request comes from, of whichever kind. */
  sessions: Sessions;
  admin: AdminSessions;
  browsers: PersonSessions;
  close(): Promise<void>;
}

export interface AuthenticationOptions {
  database: Pick<Database, "url" | "intake">;
  writer: Writer;
  adminToken: string;
  /** As people open it; undefined on a machine of one's own. */
  publicUrl: string | undefined;
  oidc: OidcSettings | null;
  onError(message: string): void;
}

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { database, adminToken } = options;
  const identity = createIdentity({
    databaseUrl: database.url,
    // With a new admin token all sessions end: whoever had the old one may have made some.
    secret: derivedKey(adminToken, "signalbox sessions of people"),
    publicUrl: options.publicUrl ?? "http://localhost",
    oidc: options.oidc,
    onError: options.onError,
  });
  const admin = createAdminSessions(options.writer, adminToken);
  return {
    identity,
    people: new People(options.writer),
    sessions: new Sessions([personSessions(identity), admin]),
    admin,
    browsers: new PersonSessions(options.writer),
    close: () => identity.close(),
  };
}
