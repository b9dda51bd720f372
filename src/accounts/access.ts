/**
 * Who is asking, decided in one place for pages, API and live streams. A token in the header comes
 * first, and a wrong one is never rescued by a cookie: the program meant the token.
 */
import { strangerScope, superuserScope } from "../core/scope.ts";
import type { Access, Caller } from "./caller.ts";
import type { Directory } from "./directory.ts";
import { isSameOrigin, isUnsafe } from "./same_origin.ts";

/** The environment's admin token, and the cookie that its holder may exchange it for. */
export interface AdminCredential {
  isAdminToken(token: string): boolean;
  /** Epoch milliseconds until which this request's cookie holds; null where it has none. */
  sessionExpiry(request: Request): number | null;
}

export interface AccessOptions {
  directory: Pick<Directory, "open">;
  admin: AdminCredential;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

/** The longest that a timer of JavaScript can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export function createAccess({ directory, admin, now = Date.now }: AccessOptions): Access {
  const byToken = (header: string, address: string | null): Caller | null => {
    const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    return token && admin.isAdminToken(token) ? adminCaller("token", null, address) : null;
  };
  return {
    authenticate: async (request, address = undefined) => {
      const header = request.headers.get("authorization");
      if (header !== null) return byToken(header, address ?? null);
      const expiresAt = admin.sessionExpiry(request);
      if (expiresAt === null) return stranger(directory.open, address ?? null);
      if (isUnsafe(request) && !isSameOrigin(request)) return null;
      return adminCaller("cookie", expiresAt, address ?? null);
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
): Caller {
  return {
    author: { name: "admin", user: null, token: null, address },
    scope: superuserScope(),
    via,
    credential: { person: null, session: null, token: null, expiresAt },
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
