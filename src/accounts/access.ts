/**
 * Who is asking, decided in one place for pages, API and live streams. A token in the header comes
 * first, and a wrong one is never rescued by a cookie: the program meant the token.
 */
import { personScope, type Role, strangerScope, superuserScope } from "../core/scope.ts";
import type { Access, Caller } from "./caller.ts";
import type { Directory } from "./directory.ts";
import { isSameOrigin, isUnsafe } from "./same_origin.ts";
import type { Sessions } from "./sessions.ts";

/** The environment's admin token. */
export interface AdminCredential {
  isAdminToken(token: string): boolean;
}

export interface AccessOptions {
  directory: Pick<Directory, "open">;
  admin: AdminCredential;
  sessions: Pick<Sessions, "of">;
  /** Of a person, by organization. */
  roles(person: string): Promise<[number, Role][]>;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

/** The longest that a timer of JavaScript can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export function createAccess(options: AccessOptions): Access {
  const { directory, admin, sessions, roles, now = Date.now } = options;
  const byToken = (header: string, address: string | null): Caller | null => {
    const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    return token && admin.isAdminToken(token) ? adminCaller("token", null, address) : null;
  };
  return {
    authenticate: async (request, address = undefined) => {
      const header = request.headers.get("authorization");
      if (header !== null) return byToken(header, address ?? null);
      const facts = await sessions.of(request);
      if (facts === null) return stranger(directory.open, address ?? null);
      if (isUnsafe(request) && !isSameOrigin(request)) return null;
      const { person, session, expiresAt, name } = facts;
      if (person === null) return adminCaller("cookie", expiresAt, address ?? null, session);
      const scope = facts.isSuperuser
        ? superuserScope()
        : personScope(await roles(person), directory.open);
      const author = { name, user: person, token: null, address: address ?? null };
      return {
        author,
        scope,
        via: "cookie",
        credential: { person, session, token: null, expiresAt },
      };
    },
    watch: ({ credential }, end) => {
      const { expiresAt } = credential;
      if (expiresAt === null) return () => {};
      const timer = setTimeout(end, Math.min(Math.max(0, expiresAt - now()), TIMER_MAX_MS));
      return () => clearTimeout(timer);
    },
  };
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
