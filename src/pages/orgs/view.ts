/** What the pages of organizations print. */
import type { Caller } from "../../accounts/caller.ts";
import type { Directory, Organization } from "../../accounts/directory.ts";
import { may, mayGrant, ROLES, type Role, roleIn, type Scope, sees } from "../../core/scope.ts";
import type { OrgFacts } from "./queries.ts";

export function listModel(scope: Scope, directory: Pick<Directory, "all">, problem: string | null) {
  const seen = [...directory.all].filter((org) => sees(scope, org.id));
  return {
    orgs: seen.map((org) => ({
      name: org.name,
      title: org.title ?? org.name,
      isPublic: org.isPublic,
      role: scope.isSuperuser ? "superuser" : (roleIn(scope, org.id) ?? "none"),
    })),
    mayCreate: scope.isSuperuser,
    problem,
  };
}

export function orgModel(caller: Caller, org: Organization, facts: OrgFacts | null, now: number) {
  const { scope, credential } = caller;
  const own = roleIn(scope, org.id);
  return {
    name: org.name,
    title: org.title,
    isPublic: org.isPublic,
    role: scope.isSuperuser ? "superuser" : own,
    manages: may(scope, org.id, "manage"),
    // As a token makes no tokens, it is not offered to.
    makesTokens: credential.token === null,
    grantable: ROLES.filter((role) => own !== null && mayGrant(own, role)).reverse(),
    me: credential.person,
    facts: facts === null ? null : printed(facts, own, now),
  };
}

function printed(
  { people, invited, apiTokens, ofWorkers, workers }: OrgFacts,
  own: Role | null,
  now: number,
) {
  return {
    people: people.map((one) => ({
      ...one,
      since: one.since.getTime(),
      isMine: own !== null && mayGrant(own, one.role),
    })),
    invited: invited.map((one) => ({ ...one, expiresAt: one.expiresAt.getTime() })),
    tokens: apiTokens
      .filter((row) => isOpen(row, now))
      .map((row) => ({
        ...shared(row),
        role: row.role ?? "as its owner",
        owner: row.person ?? "admin token",
      })),
    workerTokens: ofWorkers
      .filter((row) => isOpen(row, now))
      .map((row) => ({ ...shared(row), pool: row.pool ?? "any" })),
    workers: workers.map((one) => ({ ...one, lastSeenAt: one.lastSeenAt.getTime() })),
  };
}

interface TokenRow {
  id: string;
  name: string;
  hint: string;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

function isOpen({ revoked_at: revoked, expires_at: expires }: TokenRow, now: number): boolean {
  return revoked === null && (expires === null || expires.getTime() > now);
}

function shared({ id, name, hint, expires_at: expires, last_used_at: used }: TokenRow) {
  return { id, name, hint, expiresAt: expires?.getTime() ?? null, usedAt: used?.getTime() ?? null };
}
