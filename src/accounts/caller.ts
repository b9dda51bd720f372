/** Who is asking, and with what: made by `Access` for every request, handed to everything behind it. */
import type { Author } from "../core/author.ts";
import type { Scope } from "../core/scope.ts";

/** What was shown. Everything that was opened with it ends when it does. */
export interface Credential {
  person: string | null;
  session: string | null;
  token: string | null;
  /** Epoch milliseconds; null: until it is revoked. */
  expiresAt: number | null;
}

export interface Caller {
  /** For phase events and the audit log. */
  author: Author;
  scope: Scope;
  /** A cookie travels by itself, so unsafe requests need a same-origin check; "nobody" showed nothing. */
  via: "token" | "cookie" | "nobody";
  credential: Credential;
}

export interface Access {
  /**
   * Null where a credential was shown that is none; without any the caller is a stranger, who may see
   * what `strangerScope` allows. `address`: the peer's, for the audit log and the limits.
   */
  authenticate(request: Request, address?: string): Promise<Caller | null>;
  /** Whether `/metrics` may be read: by the admin token, or a token made for just that. */
  mayReadMetrics(request: Request, address?: string): Promise<boolean>;
  /**
   * Calls `end` once, within a second of the moment in which the credential was revoked or expired, or
   * its person's roles changed. Returns what to call when nobody needs to be told any more:
   * until then a stranger takes one of the places that there are for strangers. Throws TooManyOpen.
   */
  watch(caller: Caller, end: () => void): () => void;
}
