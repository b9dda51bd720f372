/** The accounts put together: what knows who asks, and what makes and revokes tokens. */
import type { Database } from "../db/client.ts";
import { apiTokenByHash } from "../db/statements/api_tokens.ts";
import { type PersonRoles, readPersonRoles } from "../db/statements/person_roles.ts";
import { workerTokenByHash } from "../db/statements/worker_tokens.ts";
import { AccessService, type AdminCredential } from "./access.ts";
import { Announcements, type Change, type Writer } from "./announce.ts";
import { ApiTokens } from "./api_tokens.ts";
import { type Authentication, createAuthentication } from "./authentication.ts";
import type { Access } from "./caller.ts";
import { Directory } from "./directory.ts";
import type { OidcSettings } from "./identity.ts";
import { Invitations } from "./invitations.ts";
import { LastUsed } from "./last_used.ts";
import { Members } from "./members.ts";
import { Organizations } from "./organizations.ts";
import { Remembered } from "./remembered.ts";
import type { Sessions } from "./sessions.ts";
import { TokenDoor } from "./token_door.ts";
import { derivedKey } from "./token_secrets.ts";
import { Watchers } from "./watchers.ts";
import { createWorkerAccess, type WorkerAccess } from "./worker_access.ts";
import { WorkerTokens } from "./worker_tokens.ts";

export interface AccountsOptions {
  database: Pick<Database, "url" | "reads" | "intake">;
  admin: AdminCredential;
  /** Of the environment. */
  workerToken: string | undefined;
  /** Of the environment; what signs the sessions of people is made of it. */
  adminToken: string;
  /** As people open it; undefined on a machine of one's own. */
  publicUrl?: string | undefined;
  /** Null: passwords only. */
  oidc?: OidcSettings | null;
  metricsToken?: string | undefined;
  /** Another source of sessions than people's and the admin's; for tests. */
  sessions?: Pick<Sessions, "of">;
  onTrouble(error: unknown, what: string): void;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
  /** How often last uses are written; for tests. */
  usesEveryMs?: number;
  /** How many streams strangers may have open; for tests. */
  strangersStreams?: { each: number; all: number };
}

export interface Accounts {
  readonly access: Access;
  /** Signing in and out. */
  readonly authentication: Authentication;
  readonly organizations: Organizations;
  readonly members: Members;
  readonly invitations: Invitations;
  readonly workers: WorkerAccess;
  readonly directory: Directory;
  readonly tokens: ApiTokens;
  readonly workerTokens: WorkerTokens;
  /** Keys the hashes of requests that are kept: some hold a password. */
  readonly requestKey: string;
  /** Signs what a page says in its address of what was just done. */
  readonly noteKey: string;
  /** Whoever remembers something of people, sessions or organizations listens here. */
  readonly announcements: Announcements;
  /** How many streams and sockets would be ended with their credential. */
  readonly watched: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const PEOPLE_MAX = 10_000;
const MAX_AGE_MS = 30_000;

export function createAccounts(options: AccountsOptions): Accounts {
  const { database, admin, adminToken, workerToken, publicUrl, oidc = null, onTrouble } = options;
  const { reads, intake } = database;
  const now = options.now ?? Date.now;
  const announcements = createAnnouncements(options);
  const directory = new Directory(reads);
  const watchers = new Watchers(now);
  const lastUsed = createLastUsed(options, now);
  const memories = createMemories(reads, now);
  const { door, workerDoor, people } = memories;

  const writer = { sql: intake, announcements };
  const authentication = createAuthentication({
    ...{ database, writer, adminToken, publicUrl, oidc },
    onError: (message) => onTrouble(message, "somebody could not sign in"),
  });

  announcements.on((change) => {
    authentication.sessions.forget();
    forget(change, { directory, ...memories });
    watchers.lookAtAll();
    // Those who ask in other ways than by a request see it too.
    directory.fresh().catch((error) => onTrouble(error, "organizations were not read"));
  });

  const parts = { write: intake, reads, announcements };
  return {
    access: new AccessService({
      admin,
      metricsToken: options.metricsToken,
      sessions: options.sessions ?? authentication.sessions,
      directory,
      door,
      person: (id) => people.get(id),
      watchers,
      used: (token) => lastUsed.note("api_token", token),
      strangersStreams: options.strangersStreams,
    }),
    workers: createWorkerAccess({
      workerToken,
      door: workerDoor,
      directory,
      watchers,
      used: (token) => lastUsed.note("worker_token", token),
    }),
    directory,
    authentication,
    ...createMemberships(writer),
    tokens: new ApiTokens(parts),
    workerTokens: new WorkerTokens(parts),
    requestKey: derivedKey(adminToken, "signalbox requests that may be repeated"),
    noteKey: derivedKey(adminToken, "signalbox notes of what was done"),
    announcements,
    get watched() {
      return watchers.size;
    },
    start: async () => {
      await directory.fresh();
      await announcements.start();
      lastUsed.start();
    },
    stop: async () => {
      watchers.stop();
      await announcements.stop();
      await lastUsed.stop();
      await authentication.close();
    },
  };
}

function createAnnouncements({ database, onTrouble }: AccountsOptions) {
  return new Announcements({
    url: database.url,
    onTrouble: (error) => onTrouble(error, "changes of access are not heard at once"),
  });
}

function createLastUsed({ database, onTrouble, usesEveryMs }: AccountsOptions, now: () => number) {
  return new LastUsed({
    sql: database.intake,
    now,
    onTrouble: (error) => onTrouble(error, "last uses of tokens were not written"),
    ...(usesEveryMs === undefined ? {} : { everyMs: usesEveryMs }),
  });
}

function createMemberships(writer: Writer) {
  const organizations = new Organizations(writer);
  const members = new Members(writer);
  const invitations = new Invitations(writer);
  return { organizations, members, invitations };
}

/** What was read of tokens and people, and is believed until a change is told. */
function createMemories(reads: Database["reads"], now: () => number) {
  const door = new TokenDoor({ kind: "api", now, read: (hash) => apiTokenByHash(reads, hash) });
  const workerDoor = new TokenDoor({
    kind: "worker",
    now,
    read: (hash) => workerTokenByHash(reads, hash),
  });
  const people = new Remembered<PersonRoles>({
    read: (person) => readPersonRoles(reads, person),
    max: PEOPLE_MAX,
    maxAgeMs: MAX_AGE_MS,
    now,
  });
  return { door, workerDoor, people };
}

interface Memories {
  directory: Pick<Directory, "expire">;
  door: Pick<TokenDoor<never>, "forget">;
  workerDoor: Pick<TokenDoor<never>, "forget">;
  people: Remembered<PersonRoles>;
}

/** Before anybody asks again. */
function forget(
  change: Change | "everything",
  { directory, door, workerDoor, people }: Memories,
): void {
  if (change === "everything") {
    directory.expire();
    door.forget("all");
    workerDoor.forget("all");
    people.forget(() => true);
  } else if ("orgs" in change) directory.expire();
  else if ("token" in change) door.forget(change.token);
  else if ("worker_token" in change) workerDoor.forget(change.worker_token);
  else if ("person" in change) people.forget((_facts, id) => id === change.person);
}
