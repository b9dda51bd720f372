/** Worker tokens: made, listed and revoked, each change in one transaction with its line in the audit log. */
import { v7 as uuidv7 } from "uuid";
import { writeAudit } from "../db/statements/audit.ts";
import {
  insertWorkerToken,
  listWorkerTokens,
  revokeWorkerToken,
  type WorkerCeiling,
  type WorkerTokenRow,
  workerTokenById,
} from "../db/statements/worker_tokens.ts";
import { announce } from "./announce.ts";
import type { TokenPage, TokenParts } from "./api_tokens.ts";
import type { Caller } from "./caller.ts";
import type { Organization } from "./directory.ts";
import { Refused } from "./refused.ts";
import { checkMakesTokens, checkManages, checkSuperuser } from "./token_rights.ts";
import { makeSecret } from "./token_secrets.ts";

export interface NewWorkerToken extends WorkerCeiling {
  name: string;
  expiresAt: Date | null;
}

export class WorkerTokens {
  readonly #parts: TokenParts;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  /** `org` null: for the fleet that all share. The secret is in the answer, and nowhere else again. */
  async create(
    caller: Caller,
    org: Organization | null,
    token: NewWorkerToken,
  ): Promise<{ token: WorkerTokenRow; secret: string }> {
    check(caller, org);
    checkMakesTokens(caller);
    const { secret, hash, hint } = makeSecret("worker");
    const made = { ...token, id: uuidv7(), hash, hint, createdBy: caller.author.name };
    const orgId = org?.id ?? null;
    const row = await this.#parts.write.begin(async (tx) => {
      const inserted = await insertWorkerToken(tx, { ...made, org: orgId });
      const entry = { org: orgId, author: caller.author, ...objectOf(inserted) };
      await writeAudit(tx, [{ ...entry, action: "worker_token.create", after: shown(inserted) }]);
      return inserted;
    });
    return { token: row, secret };
  }

  async list(caller: Caller, org: Organization | null, page: TokenPage): Promise<WorkerTokenRow[]> {
    check(caller, org);
    return listWorkerTokens(this.#parts.reads, org?.id ?? null, page);
  }

  /** Twice is once. Workers that came with it are cut off within a second, on every server. */
  async revoke(
    caller: Caller,
    org: Organization | null,
    id: string,
    reason?: string,
  ): Promise<WorkerTokenRow> {
    check(caller, org);
    const orgId = org?.id ?? null;
    const row = await this.#parts.write.begin(async (tx) => {
      const revoked = await revokeWorkerToken(tx, orgId, id);
      if (revoked === undefined) return workerTokenById(tx, orgId, id);
      const before = shown({ ...revoked, revoked_at: null });
      const entry = { org: orgId, author: caller.author, reason: reason ?? null };
      const change = { action: "worker_token.revoke", before, after: shown(revoked) };
      await writeAudit(tx, [{ ...entry, ...objectOf(revoked), ...change }]);
      await announce(tx, { worker_token: id });
      return revoked;
    });
    if (row === undefined) throw new Refused("not_found", `There is no worker token ${id}.`);
    this.#parts.announcements.tell({ worker_token: id });
    return row;
  }
}

function check(caller: Caller, org: Organization | null): void {
  if (org === null) checkSuperuser(caller);
  else checkManages(caller, org);
}

function objectOf(row: WorkerTokenRow) {
  return { objectKind: "worker_token", objectId: row.id };
}

function shown(row: WorkerTokenRow): object {
  const { name, hint, pool, features, kinds, slots_max, expires_at, revoked_at } = row;
  return { name, hint, pool, features, kinds, slots_max, expires_at, revoked_at };
}
