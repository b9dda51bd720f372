/** API tokens: made, listed and revoked, each change in one transaction with its line in the audit log. */
import { v7 as uuidv7 } from "uuid";
import type { Role } from "../core/scope.ts";
import type { Sql } from "../db/client.ts";
import {
  type ApiTokenRow,
  apiTokenById,
  insertApiToken,
  listApiTokens,
  revokeApiToken,
} from "../db/statements/api_tokens.ts";
import { writeAudit } from "../db/statements/audit.ts";
import { type Announcements, announce } from "./announce.ts";
import type { Caller } from "./caller.ts";
import type { Organization } from "./directory.ts";
import { Refused } from "./refused.ts";
import { checkGrants, checkMakesTokens, checkManages, isEnvironmentAdmin } from "./token_rights.ts";
import { makeSecret } from "./token_secrets.ts";

export interface NewToken {
  name: string;
  /** The most it may be; null: as much as its owner at each moment. */
  role: Role | null;
  purpose: "api" | "metrics";
  expiresAt: Date | null;
}

export interface TokenPage {
  /** The last id of the page before. */
  before: string | null;
  limit: number;
}

export interface TokenParts {
  /** Where changes are written. */
  write: Sql;
  reads: Sql;
  announcements: Pick<Announcements, "tell">;
}

export class ApiTokens {
  readonly #parts: TokenParts;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  /** The secret is in the answer, and nowhere else ever again. */
  async create(
    caller: Caller,
    org: Organization,
    { name, role, purpose, expiresAt }: NewToken,
  ): Promise<{ token: ApiTokenRow; secret: string }> {
    checkManages(caller, org);
    checkMakesTokens(caller);
    if (role !== null) checkGrants(caller, org, role);
    if (purpose === "metrics" && !caller.scope.isSuperuser) {
      const message = "/metrics tells of all organizations: only superusers make tokens for it.";
      throw new Refused("forbidden", message);
    }
    const { secret, hash, hint } = makeSecret("api");
    const made = { id: uuidv7(), name, hash, hint, role, purpose, expiresAt };
    const person = isEnvironmentAdmin(caller) ? null : caller.credential.person;
    const token = await this.#parts.write.begin(async (tx) => {
      const createdBy = caller.author.name;
      const row = await insertApiToken(tx, { ...made, person, org: org.id, createdBy });
      const entry = { org: org.id, author: caller.author, ...objectOf(row) };
      await writeAudit(tx, [{ ...entry, action: "token.create", after: shown(row) }]);
      return row;
    });
    return { token, secret };
  }

  async list(caller: Caller, org: Organization, page: TokenPage): Promise<ApiTokenRow[]> {
    checkManages(caller, org);
    return listApiTokens(this.#parts.reads, org.id, page);
  }

  /** The token that the caller has shown; null where it was none. */
  async ownOf({ credential }: Caller): Promise<ApiTokenRow | null> {
    if (credential.token === null) return null;
    return (await apiTokenById(this.#parts.reads, "any", credential.token)) ?? null;
  }

  /** Twice is once. What was opened with it ends within a second, on every server. */
  async revoke(
    caller: Caller,
    org: Organization,
    id: string,
    reason?: string,
  ): Promise<ApiTokenRow> {
    checkManages(caller, org);
    const row = await this.#parts.write.begin(async (tx) => {
      const revoked = await revokeApiToken(tx, org.id, id);
      if (revoked === undefined) return apiTokenById(tx, org.id, id);
      const before = shown({ ...revoked, revoked_at: null });
      const entry = { org: org.id, author: caller.author, reason: reason ?? null };
      const change = { action: "token.revoke", before, after: shown(revoked) };
      await writeAudit(tx, [{ ...entry, ...objectOf(revoked), ...change }]);
      await announce(tx, { token: id });
      return revoked;
    });
    if (row === undefined) throw new Refused("not_found", `There is no token ${id}.`);
    this.#parts.announcements.tell({ token: id });
    return row;
  }
}

function objectOf(row: ApiTokenRow) {
  return { objectKind: "token", objectId: row.id };
}

/** As the audit log keeps it: without a hash, for a log is read by many. */
function shown(row: ApiTokenRow): object {
  const { name, hint, person_id, role, purpose, expires_at, revoked_at } = row;
  return { name, hint, person: person_id, role, purpose, expires_at, revoked_at };
}
