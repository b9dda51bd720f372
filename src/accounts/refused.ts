/** What the accounts refuse, as errors whose sentence says why and what to do instead. */

export type RefusedKind = "forbidden" | "not_found" | "invalid" | "conflict";

export class Refused extends Error {
  readonly kind: RefusedKind;
  /** The field that is wrong, where it is one. */
  readonly field: string | null;

  constructor(kind: RefusedKind, message: string, field: string | null = null) {
    super(message);
    this.name = "Refused";
    this.kind = kind;
    this.field = field;
  }
}

/** Too many wrong credentials came from this peer. */
export class TooManyAttempts extends Error {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(`Too many wrong tokens came from your address. Try again in ${retryAfterSeconds} s.`);
    this.name = "TooManyAttempts";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
