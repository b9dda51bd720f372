/**
 * The admin token, and the one-time link that stands for it: what opens a server on which nobody has an
 * account yet. Sessions themselves are in `accounts/`.
 */
import { createHmac, randomBytes } from "node:crypto";
import { attemptLimit } from "../accounts/attempt_limit.ts";
import { sameSecret } from "../accounts/token_secrets.ts";

export interface Auth {
  /** Whether `token` is the admin token, compared in constant time. */
  isAdminToken(token: string): boolean;
  /** A path that signs its first visitor in, once, within `LINK_MS`. */
  createSignInLink(): string;
  /** Consumes a one-time link; false where it is unknown, used or too old. */
  useSignInLink(secret: string): boolean;
  /** Failed sign-ins, limited by peer, by person and in all. */
  readonly failures: ReturnType<typeof attemptLimit>;
}

export const LINK_MS = 3_600_000;
const LINKS_MAX = 100;

export interface AuthOptions {
  adminToken: string;
  /** Milliseconds since the epoch; for tests. */
  now?: () => number;
}

export function createAuth(options: AuthOptions): Auth {
  const now = options.now ?? Date.now;
  const links = new Map<string, number>();
  return {
    isAdminToken: (token) => sameSecret(token, options.adminToken),
    failures: attemptLimit({ now, windowMs: 60_000, each: 10, all: 600 }),
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
  };
}

/** Links are found by their hash, so that looking one up tells nothing by its time. */
function digest(secret: string): string {
  return createHmac("sha256", "signalbox sign-in link").update(secret).digest("base64url");
}

// Requests

/** How the browser calls this server. */
export function originOf(request: Request): string {
  return `${isSecure(request) ? "https" : "http"}://${new URL(request.url).host}`;
}

/** HTTPS at the browser, also where a proxy in front of us ends it. */
export function isSecure(request: Request): boolean {
  if (new URL(request.url).protocol === "https:") return true;
  return request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim() === "https";
}
