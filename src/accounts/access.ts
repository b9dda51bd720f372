/**
 * Who is asking, decided in one place for pages, API and live streams. A token in the header comes
 * first, and a wrong one is never rescued by a cookie: the program meant the token. Then the cookie of
 * a session, which counts for unsafe methods only from our own pages; then a stranger.
 */
import {
  narrowed,
  personScope,
  type Role,
  type Scope,
  sameScope,
  strangerScope,
  superuserScope,
} from "../core/scope.ts";
import type { ApiTokenRow } from "../db/statements/api_tokens.ts";
import type { PersonRoles } from "../db/statements/person_roles.ts";
import type { Access, Caller } from "./caller.ts";
import type { Directory } from "./directory.ts";
import { OpenBound } from "./open_bound.ts";
import { isSameOrigin, isUnsafe } from "./same_origin.ts";
import type { Sessions } from "./sessions.ts";
import type { TokenDoor } from "./token_door.ts";
import { sameSecret } from "./token_secrets.ts";
import type { Watchers } from "./watchers.ts";

/** The environment's admin token. */
export interface AdminCredential {
  isAdminToken(token: string): boolean;
}

export interface AccessParts {
  admin: AdminCredential;
  /** Of the environment: for `/metrics` alone. */
  metricsToken: string | undefined;
  /** Where people sign in. */
  sessions: Pick<Sessions, "of">;
  directory: Pick<Directory, "open" | "fresh">;
  door: TokenDoor<ApiTokenRow>;
  person(id: string): Promise<PersonRoles | null>;
  watchers: Watchers;
  used(token: string): void;
  /** For tests. */
  strangersStreams?: { each: number; all: number } | undefined;
}

/**
 * Streams of strangers. An office behind one address may have its counts on every screen; and all of
 * them together cost less memory than one busy page, however many come at once.
 */
const STRANGERS_STREAMS = { each: 200, all: 2_000 };
/** Streams are long: soon after is too soon, and who watches a public page comes back by themselves. */
const STREAMS_RETRY_SECONDS = 30;

type Address = string | null;

export class AccessService implements Access {
  readonly #parts: AccessParts;
  /** How each caller showed who they are, to ask once more whether it still holds. */
  readonly #again = new WeakMap<Caller, () => Promise<Caller | null>>();
  readonly #strangers: OpenBound;

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#strangers = new OpenBound({
      what: "live streams without a sign-in",
      ...(parts.strangersStreams ?? STRANGERS_STREAMS),
      retryAfterSeconds: STREAMS_RETRY_SECONDS,
    });
  }

  async authenticate(request: Request, address?: string): Promise<Caller | null> {
    await this.#parts.directory.fresh();
    const header = request.headers.get("authorization");
    if (header !== null) return this.#byHeader(header, address ?? null);
    // What is kept for later must not hold on to the request's body.
    const shown = new Request(request.url, { headers: request.headers });
    const again = () => this.#byCookie(shown, address ?? null);
    const caller = await again();
    this.#again.set(caller, again);
    const isForged = caller.via === "cookie" && isUnsafe(request) && !isSameOrigin(request);
    return isForged ? null : caller;
  }

  async mayReadMetrics(request: Request, address?: string): Promise<boolean> {
    const secret = bearerOf(request.headers.get("authorization"));
    if (secret === null) return false;
    const { admin, metricsToken } = this.#parts;
    if (admin.isAdminToken(secret)) return true;
    if (metricsToken && sameSecret(secret, metricsToken)) return true;
    const token = await this.#parts.door.open(secret, address ?? null);
    if (token?.purpose !== "metrics") return false;
    // They tell of all organizations: whoever made it must be one who may see them all.
    const owner = token.person_id === null ? null : await this.#parts.person(token.person_id);
    if (token.person_id !== null && !owner?.isSuperuser) return false;
    this.#parts.used(token.id);
    return true;
  }

  watch(caller: Caller, end: () => void): () => void {
    const isStranger = caller.via === "nobody";
    const leave = isStranger ? this.#strangers.enter(caller.author.address) : () => {};
    const again = this.#again.get(caller);
    const unwatch = this.#parts.watchers.add({
      expiresAt: caller.credential.expiresAt,
      holds: async () => {
        if (again === undefined) return true;
        await this.#parts.directory.fresh();
        const now = await again();
        return now !== null && now.via === caller.via && sameScope(now.scope, caller.scope);
      },
      end: () => {
        leave();
        end();
      },
    });
    return () => {
      leave();
      unwatch();
    };
  }

  // Tokens

  async #byHeader(header: string, address: Address): Promise<Caller | null> {
    const secret = bearerOf(header);
    if (secret === null) return null;
    const { admin, door, used } = this.#parts;
    // Not limited: at least 32 characters are beyond guessing, and asking costs no statement.
    if (admin.isAdminToken(secret)) return adminCaller("token", null, address);
    const token = await door.open(secret, address);
    if (token === null) return null;
    const caller = await this.#ofToken(token, address);
    if (caller === null) return null;
    used(token.id);
    this.#again.set(caller, async () => {
      const still = await door.stillOpen(secret);
      return still === null ? null : this.#ofToken(still, address);
    });
    return caller;
  }

  /** What is left of its owner's scope in the hands of the token. */
  async #ofToken(token: ApiTokenRow, address: Address): Promise<Caller | null> {
    if (token.purpose !== "api") return null;
    const owner = await this.#ownerScope(token.person_id);
    if (owner === null) return null;
    return {
      author: { name: token.name, user: token.person_id, token: token.id, address },
      scope: narrowed(owner, { org: token.org_id, role: token.role }),
      via: "token",
      credential: {
        person: token.person_id,
        session: null,
        token: token.id,
        expiresAt: token.expires_at?.getTime() ?? null,
      },
    };
  }

  /** Nobody's tokens were made with the admin token, and may as much. */
  async #ownerScope(person: string | null): Promise<Scope | null> {
    if (person === null) return superuserScope();
    const facts = await this.#parts.person(person);
    return facts === null ? null : this.#scopeOf(facts);
  }

  #scopeOf({ isSuperuser, roles }: { isSuperuser: boolean; roles: Iterable<[number, Role]> }) {
    return isSuperuser ? superuserScope() : personScope(roles, this.#parts.directory.open);
  }

  // Cookies

  async #byCookie(request: Request, address: Address): Promise<Caller> {
    const { sessions, directory } = this.#parts;
    // Nobody without a cookie has a session: scrapers and probes cost no statement.
    if (!request.headers.has("cookie")) return stranger(directory.open, address);
    const facts = await sessions.of(request);
    if (facts === null) return stranger(directory.open, address);
    const { person, session, expiresAt } = facts;
    if (person === null) return adminCaller("cookie", expiresAt, address, session);
    const own = await this.#parts.person(person);
    if (own === null) return stranger(directory.open, address);
    return {
      author: { name: own.name, user: person, token: null, address },
      scope: this.#scopeOf(own),
      via: "cookie",
      credential: { person, session, token: null, expiresAt },
    };
  }
}

function bearerOf(header: string | null): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? null;
}

/** Whoever shows the admin token, or the cookie that stands for it. */
export function adminCaller(
  via: "token" | "cookie",
  expiresAt: number | null,
  address: string | null,
  session: string | null = null,
): Caller {
  return {
    author: { name: "admin", user: null, token: null, address },
    scope: superuserScope(),
    via,
    credential: { person: null, session, token: null, expiresAt },
  };
}

function stranger(open: Iterable<number>, address: string | null): Caller {
  return {
    author: { name: "anonymous", user: null, token: null, address },
    scope: strangerScope(open),
    via: "nobody",
    credential: { person: null, session: null, token: null, expiresAt: null },
  };
}
