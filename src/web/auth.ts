/**
 * The admin token of the environment, and what the sign-in form (or a one-time link) gives for it: a
 * signed cookie. Whether it lets somebody in decides `accounts/access.ts`, as for every credential.
 *
 * The cookie holds no secret, only an expiry and a random part, signed with a key derived from
 * the admin token: it survives restarts, holds on every replica, and a new token ends all sessions.
 */
import { createHmac, randomBytes } from "node:crypto";
import { attemptLimit } from "../accounts/attempt_limit.ts";
import { isSameOrigin } from "../accounts/same_origin.ts";
import { sameSecret } from "../accounts/token_secrets.ts";

export { isSameOrigin };

export interface Auth {
  /** Whether `token` is the admin token, compared in constant time. */
  isAdminToken(token: string): boolean;
  /** Epoch milliseconds until which this request's cookie holds; null where it has none. */
  sessionExpiry(request: Request): number | null;
  /** A path that signs its first visitor in, once, within `LINK_MS`. */
  createSignInLink(): string;
  /** Consumes a one-time link; false where it is unknown, used or too old. */
  useSignInLink(secret: string): boolean;
  /** A `Set-Cookie` value that opens a session on this browser. */
  openSession(secure: boolean): string;
  /** A `Set-Cookie` value that ends it. */
  closeSession(secure: boolean): string;
  /** Whether this request's session is past half its life and worth renewing. */
  isAgeing(request: Request): boolean;
  /** Failed sign-ins, limited by peer address and in all. */
  readonly failures: ReturnType<typeof attemptLimit>;
}

export const SESSION_MS = 7 * 24 * 3_600_000;
export const LINK_MS = 3_600_000;
const COOKIE = "signalbox_session";
const LINKS_MAX = 100;

export interface AuthOptions {
  adminToken: string;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

export function createAuth(options: AuthOptions): Auth {
  const now = options.now ?? Date.now;
  const key = createHmac("sha256", options.adminToken).update("signalbox session 1").digest();
  const links = new Map<string, number>();

  const sign = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
  const expiryOf = (request: Request): number | null => {
    const value = readCookie(request, COOKIE);
    const [version, expiry, nonce, signature, ...rest] = value?.split(".") ?? [];
    if (version !== "1" || !expiry || !nonce || !signature || rest.length > 0) return null;
    if (!sameSecret(sign(`1.${expiry}.${nonce}`), signature)) return null;
    return Number(expiry) > now() ? Number(expiry) : null;
  };
  const isAdminToken = (token: string) => sameSecret(token, options.adminToken);

  return {
    isAdminToken,
    sessionExpiry: expiryOf,
    failures: attemptLimit({ now, windowMs: 60_000, each: 10, all: 100 }),
    createSignInLink: () => {
      for (const [secret, until] of links) if (until <= now()) links.delete(secret);
      const oldest = links.keys().next().value;
      if (links.size >= LINKS_MAX && oldest !== undefined) links.delete(oldest);
      const secret = randomBytes(24).toString("base64url");
      links.set(digest(secret), now() + LINK_MS);
      return `/sign-in?link=${secret}`;
    },
    useSignInLink: (secret) => {
      const until = links.get(digest(secret));
      links.delete(digest(secret));
      return until !== undefined && until > now();
    },
    openSession: (secure) => {
      const body = `1.${now() + SESSION_MS}.${randomBytes(9).toString("base64url")}`;
      return cookie(`${body}.${sign(body)}`, SESSION_MS / 1000, secure);
    },
    closeSession: (secure) => cookie("", 0, secure),
    isAgeing: (request) => {
      const expiry = expiryOf(request);
      return expiry !== null && expiry - now() < SESSION_MS / 2;
    },
  };
}

/** `Lax`, so that a link to a job in a chat opens it; unsafe methods check their origin besides. */
function cookie(value: string, seconds: number, secure: boolean): string {
  return `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? "; Secure" : ""}`;
}

/** Links are found by their hash, so that looking one up tells nothing by its time. */
function digest(secret: string): string {
  return createHmac("sha256", "signalbox sign-in link").update(secret).digest("base64url");
}

// Requests

export function readCookie(request: Request, name: string): string | undefined {
  for (const part of (request.headers.get("cookie") ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/** HTTPS at the browser, also where a proxy in front of us ends it. */
export function isSecure(request: Request): boolean {
  if (new URL(request.url).protocol === "https:") return true;
  return request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim() === "https";
}
