/**
 * Secrets of tokens: how they are made, told apart, kept and compared. A secret is 256 random bits, so
 * its plain SHA-256 is as good as a slow hash; only that is stored, and a token is found by it, so that
 * looking one up tells nothing by its time.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What a secret begins with says what it opens, to people and to scanners of leaked secrets. */
const PREFIXES = { api: "sbx_", worker: "sbw_" } as const;
export type SecretKind = keyof typeof PREFIXES;

const SECRET_BYTES = 32;
const HINT_CHARACTERS = 4;

export interface Secret {
  /** Shown once, to whoever made the token. */
  secret: string;
  hash: Uint8Array;
  /** Its first characters, to tell tokens apart. */
  hint: string;
}

export function makeSecret(kind: SecretKind): Secret {
  const secret = PREFIXES[kind] + randomBytes(SECRET_BYTES).toString("base64url");
  const hint = secret.slice(0, PREFIXES[kind].length + HINT_CHARACTERS);
  return { secret, hash: hashSecret(secret), hint };
}

/** Whether a text can be such a secret at all: what cannot is looked up nowhere. */
export function looksLikeSecret(kind: SecretKind, text: string): boolean {
  return text.startsWith(PREFIXES[kind]) && /^[A-Za-z0-9_-]{43}$/.test(text.slice(4));
}

export function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** A key for one purpose, made of the server's secret, which is in no database. */
export function derivedKey(secret: string, purpose: string): string {
  return createHmac("sha256", secret).update(purpose).digest("hex");
}

/** Hashed first, so that neither content nor length shows by the time that it takes. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(hashSecret(given), hashSecret(expected));
}
