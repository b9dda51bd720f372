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

/** Too many streams or sockets of strangers are open: from this address, or on this server. */
export class TooManyOpen extends Error {
  readonly where: "address" | "server";
  readonly retryAfterSeconds: number;

  constructor(where: TooManyOpen["where"], what: string, retryAfterSeconds: number) {
    const place = where === "address" ? "from your address" : "on this server";
    super(`Too many ${what} are open ${place}. Try again in ${retryAfterSeconds} s.`);
    this.name = "TooManyOpen";
    this.where = where;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** 429: it is the caller's doing; 503: it is not. */
  get status(): 429 | 503 {
    return this.where === "address" ? 429 : 503;
  }
}
