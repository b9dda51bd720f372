/** What somebody asked of accounts and cannot have, in a sentence for them. */
export class AccountProblem extends Error {
  readonly code: "invalid" | "conflict" | "forbidden";
  /** The field that is wrong, where it is one. */
  readonly field: string | null;

  constructor(code: AccountProblem["code"], message: string, field: string | null = null) {
    super(message);
    this.name = "AccountProblem";
    this.code = code;
    this.field = field;
  }
}
