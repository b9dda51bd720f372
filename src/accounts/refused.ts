/** What the accounts refuse, as errors whose sentence says why and what to do instead. */

export type RefusedKind = "forbidden" | "not_found" | "invalid";

export class Refused extends Error {
  readonly kind: RefusedKind;

  constructor(kind: RefusedKind, message: string) {
    super(message);
    this.name = "Refused";
    this.kind = kind;
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
