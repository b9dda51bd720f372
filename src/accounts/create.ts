/** The accounts put together: what knows who asks, and what makes and revokes tokens. */
import type { Database, Sql } from "../db/client.ts";
import { apiTokenByHash } from "../db/statements/api_tokens.ts";
import { type PersonRoles, readPersonRoles } from "../db/statements/person_roles.ts";
import { workerTokenByHash } from "../db/statements/worker_tokens.ts";
import { AccessService, type AdminCredential, type Sessions } from "./access.ts";
import { Announcements, type Change } from "./announce.ts";
import { ApiTokens } from "./api_tokens.ts";
import type { Access } from "./caller.ts";
import { Directory } from "./directory.ts";
import { LastUsed } from "./last_used.ts";
import { Remembered } from "./remembered.ts";
import { TokenDoor } from "./token_door.ts";
import { Watchers } from "./watchers.ts";
import { createWorkerAccess, type WorkerAccess } from "./worker_access.ts";
import { WorkerTokens } from "./worker_tokens.ts";

export interface AccountsOptions {
  database: Pick<Database, "url" | "reads" | "intake">;
  admin: AdminCredential;
  /** Of the environment. */
  workerToken: string | undefined;
  metricsToken?: string | undefined;
  /** Where people sign in; without, only tokens and the admin's cookie count. */
  sessions?: Sessions;
  onTrouble(error: unknown, what: string): void;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
  /** How often last uses are written; for tests. */
  usesEveryMs?: number;
}

export interface Accounts {
  readonly access: Access;
  readonly workers: WorkerAccess;
  readonly directory: Directory;
  readonly tokens: ApiTokens;
  readonly workerTokens: WorkerTokens;
  /** Whoever remembers something of people, sessions or organizations listens here. */
  readonly announcements: Announcements;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const PEOPLE_MAX = 10_000;
const MAX_AGE_MS = 30_000;
const NO_SESSIONS: Sessions = { of: async () => null };

export function createAccounts(options: AccountsOptions): Accounts {
  const { database, admin, workerToken, onTrouble } = options;
  const { reads, intake } = database;
  const now = options.now ?? Date.now;
  const announcements = new Announcements({
    url: database.url,
    onTrouble: (error) => onTrouble(error, "changes of access are not heard at once"),
  });
  const directory = new Directory(reads);
  const watchers = new Watchers(now);
  const lastUsed = new LastUsed({
    sql: intake,
    now,
    onTrouble: (error) => onTrouble(error, "last uses of tokens were not written"),
    ...(options.usesEveryMs === undefined ? {} : { everyMs: options.usesEveryMs }),
  });
  const { door, workerDoor, people } = openDoors(reads, now);
  const orgs = freshly(() => directory.refresh());

  announcements.on((change) => {
    forget(change, { orgs, door, workerDoor, people });
    watchers.lookAtAll();
    // Those who ask in other ways than by a request see it too.
    orgs.fresh().catch((error) => onTrouble(error, "organizations were not read"));
  });

  const parts = { write: intake, reads, announcements };
  return {
    access: new AccessService({
      admin,
      metricsToken: options.metricsToken,
      sessions: options.sessions ?? NO_SESSIONS,
      directory,
      directoryFresh: orgs.fresh,
      door,
      person: (id) => people.get(id),
      watchers,
      used: (token) => lastUsed.note("api_token", token),
    }),
    workers: createWorkerAccess({
      workerToken,
      door: workerDoor,
      directory,
      watchers,
      used: (token) => lastUsed.note("worker_token", token),
    }),
    directory,
    tokens: new ApiTokens(parts),
    workerTokens: new WorkerTokens(parts),
    announcements,
    start: async () => {
      await orgs.fresh();
      await announcements.start();
      lastUsed.start();
    },
    stop: async () => {
      watchers.stop();
      await announcements.stop();
      await lastUsed.stop();
    },
  };
}

function openDoors(reads: Sql, now: () => number) {
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
  orgs: ReturnType<typeof freshly>;
  door: Pick<TokenDoor<never>, "forget">;
  workerDoor: Pick<TokenDoor<never>, "forget">;
  people: Remembered<PersonRoles>;
}

/** Before anybody asks again. */
function forget(change: Change | "everything", { orgs, door, workerDoor, people }: Memories): void {
  if (change === "everything") {
    orgs.expire();
    door.forget("all");
    workerDoor.forget("all");
    people.forget(() => true);
  } else if ("orgs" in change) orgs.expire();
  else if ("token" in change) door.forget(change.token);
  else if ("worker_token" in change) workerDoor.forget(change.worker_token);
  else if ("person" in change) people.forget((_facts, id) => id === change.person);
}

/** Does something once, and again after it has expired: one at a time, so that the latest look wins. */
function freshly(refresh: () => Promise<void>) {
  let wanted = 1;
  let reached = 0;
  let running: Promise<void> | null = null;
  const run = async () => {
    while (reached < wanted) {
      const aim = wanted;
      await refresh();
      reached = aim;
    }
  };
  return {
    /** Whoever asks after a failure tries again. */
    fresh: async (): Promise<void> => {
      if (reached >= wanted) return;
      running ??= run().finally(() => {
        running = null;
      });
      await running;
    },
    expire: () => {
      wanted += 1;
    },
  };
}
