/**
 * Whose browser a request comes from. Sessions are rows, so that ending one ends it everywhere; what
 * was read is believed for a second, because a page asks for it a dozen times.
 */
import type { Identity } from "./identity.ts";

export interface SessionFacts {
  /** Null: the admin token was entered, which is nobody's. */
  person: string | null;
  session: string;
  /** What pages and the audit log call them. */
  name: string;
  isSuperuser: boolean;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** A kind of session, told apart by its cookie. */
export interface SessionSource {
  /** The cookie's value, or undefined where the request has none of this kind. */
  cookieOf(request: Request): string | undefined;
  read(request: Request): Promise<SessionFacts | null>;
}

/** A revoked session lives at most so long, even where nobody was told of it. */
const BELIEVED_MS = 1_000;
const HELD_MAX = 10_000;
const COOKIE_MAX = 200;

interface Held {
  facts: Promise<SessionFacts | null>;
  until: number;
}

export class Sessions {
  readonly #sources: readonly SessionSource[];
  readonly #held = new Map<string, Held>();
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(sources: readonly SessionSource[], now: () => number = () => performance.now()) {
    this.#sources = sources;
    this.#now = now;
  }

  /** Null without a cookie that opens anything. */
  async of(request: Request): Promise<SessionFacts | null> {
    for (const [at, source] of this.#sources.entries()) {
      const cookie = source.cookieOf(request);
      // Longer than any of ours: what strangers send is not kept.
      if (cookie === undefined || cookie.length > COOKIE_MAX) continue;
      const facts = await this.#read(`${at}:${cookie}`, () => source.read(request));
      if (facts) return facts;
    }
    return null;
  }

  /** Sessions ended or were changed: they are read again. */
  forget(): void {
    this.#held.clear();
  }

  #read(key: string, read: () => Promise<SessionFacts | null>): Promise<SessionFacts | null> {
    const now = this.#now();
    const held = this.#held.get(key);
    if (held && held.until > now) return held.facts;
    const facts = read();
    // What failed is asked again by the next request.
    facts.catch(() => this.#held.delete(key));
    this.#held.delete(key);
    this.#held.set(key, { facts, until: now + BELIEVED_MS });
    const oldest = this.#held.keys().next().value;
    if (this.#held.size > HELD_MAX && oldest !== undefined) this.#held.delete(oldest);
    return facts;
  }
}

/** Sessions of people, as better-auth keeps them. */
export function personSessions(identity: Identity): SessionSource {
  return {
    cookieOf: (request) => cookieOf(request, "signalbox.session_token", "__Secure-"),
    read: async (request) => {
      const found = await identity.session(request);
      if (!found) return null;
      const { user, session } = found;
      return {
        person: user.id,
        session: session.id,
        name: user.name,
        isSuperuser: user.isSuperuser === true,
        expiresAt: session.expiresAt.getTime(),
      };
    },
  };
}

export function cookieOf(request: Request, name: string, prefix = ""): string | undefined {
  for (const part of (request.headers.get("cookie") ?? "").split(";")) {
    const at = part.indexOf("=");
    const own = at < 0 ? "" : part.slice(0, at).trim();
    if (own === name || own === prefix + name) return part.slice(at + 1).trim();
  }
  return undefined;
}
