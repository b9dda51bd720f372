/**
 * Where tokens of the database are shown: found by their hash, remembered, and counted where they are
 * none. A token that was seen to be none is not counted again, so that a program with an old token
 * does not shut out its neighbours; and one that is known to be good is let in whatever others try.
 */
import { addressGroup } from "./address_group.ts";
import { attemptLimit } from "./attempt_limit.ts";
import { TooManyAttempts } from "./refused.ts";
import { Remembered } from "./remembered.ts";
import { hashSecret, looksLikeSecret, type SecretKind } from "./token_secrets.ts";

export interface TokenFacts {
  id: string;
  expires_at: Date | null;
  revoked_at: Date | null;
}

export interface TokenDoorOptions<T> {
  kind: SecretKind;
  read(hash: Uint8Array): Promise<T | undefined>;
  now(): number;
}

const TOKENS_MAX = 10_000;
const STRANGE_MAX = 10_000;
const STRANGE_MS = 60_000;
/** A notice of a change is what counts; this only bounds what a lost one could do. */
const MAX_AGE_MS = 30_000;
const FAILURES = { windowMs: 60_000, each: 30, all: 1_000 };

export class TokenDoor<T extends TokenFacts> {
  readonly #kind: SecretKind;
  readonly #now: () => number;
  readonly #known: Remembered<T>;
  /** Hashes of what was shown and is no token, until when that is believed. */
  readonly #strange = new Map<string, number>();
  /** Hashes that are or were a token: kept over every change, for they only spare the limit. */
  readonly #good = new Set<string>();
  readonly #failures: ReturnType<typeof attemptLimit>;

  constructor({ kind, read, now }: TokenDoorOptions<T>) {
    this.#kind = kind;
    this.#now = now;
    this.#failures = attemptLimit({ now, ...FAILURES });
    this.#known = new Remembered<T>({
      read: async (hash) => (await read(Buffer.from(hash, "hex"))) ?? null,
      max: TOKENS_MAX,
      maxAgeMs: MAX_AGE_MS,
      now,
    });
  }

  /** The token, or null where this is none that holds. Throws TooManyAttempts. */
  async open(secret: string, address: string | null): Promise<T | null> {
    const hash = hashSecret(secret).toString("hex");
    const known = this.#known.peek(hash);
    if (known !== undefined) return this.#holds(known) ? known : null;
    if (this.#isStrange(hash)) return null;
    const peer = addressGroup(address);
    // A neighbour who guesses shuts out nobody whose token was good.
    const wait = this.#good.has(hash) ? 0 : this.#failures.waitSeconds(peer);
    if (wait > 0) throw new TooManyAttempts(wait);
    const found = looksLikeSecret(this.#kind, secret) ? await this.#known.get(hash) : null;
    if (found !== null) {
      this.#noteGood(hash);
      return this.#holds(found) ? found : null;
    }
    this.#failures.failed(peer);
    this.#noteStrange(hash);
    return null;
  }

  #noteGood(hash: string): void {
    this.#good.delete(hash);
    this.#good.add(hash);
    const oldest = this.#good.values().next().value;
    if (this.#good.size > TOKENS_MAX && oldest !== undefined) this.#good.delete(oldest);
  }

  /** By a secret that opened this door before; nobody is counted. */
  async stillOpen(secret: string): Promise<T | null> {
    const found = await this.#known.get(hashSecret(secret).toString("hex"));
    return found !== null && this.#holds(found) ? found : null;
  }

  forget(id: string | "all"): void {
    this.#known.forget((token) => id === "all" || token.id === id);
  }

  #holds({ revoked_at, expires_at }: T): boolean {
    return revoked_at === null && (expires_at === null || expires_at.getTime() > this.#now());
  }

  #isStrange(hash: string): boolean {
    return (this.#strange.get(hash) ?? Number.NEGATIVE_INFINITY) > this.#now();
  }

  #noteStrange(hash: string): void {
    const oldest = this.#strange.keys().next().value;
    if (this.#strange.size >= STRANGE_MAX && oldest !== undefined) this.#strange.delete(oldest);
    this.#strange.set(hash, this.#now() + STRANGE_MS);
  }
}
