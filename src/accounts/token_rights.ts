/** Who may make tokens, list them and revoke them. */
import { may, mayGrant, type Role, roleIn, sees } from "../core/scope.ts";
import type { Caller } from "./caller.ts";
import { Refused } from "./refused.ts";

/** The admin token of the environment, or the cookie that stands for it. */
export function isEnvironmentAdmin({ credential, via, scope }: Caller): boolean {
  const isNobody = credential.person === null && credential.token === null;
  return via !== "nobody" && isNobody && scope.isSuperuser;
}

/** Throws Refused: 404 where the organization is not seen, 403 where its tokens are not the caller's business. */
export function checkManages(caller: Caller, org: { id: number; name: string }): void {
  if (!sees(caller.scope, org.id)) {
    throw new Refused("not_found", `There is no organization "${org.name}".`);
  }
  if (may(caller.scope, org.id, "manage")) return;
  const message = `Tokens of ${org.name} are the business of its admins and owners.`;
  throw new Refused("forbidden", message);
}

/** Tokens that all organizations share. */
export function checkSuperuser(caller: Caller): void {
  if (caller.scope.isSuperuser) return;
  const message = "Tokens of the shared fleet are the business of superusers.";
  throw new Refused("forbidden", message);
}

/**
 * Whoever steals a token must not be able to make another that outlives it, and a token's own limits
 * would have to be carried over: so tokens make no tokens. Only the environment's does, for automation.
 */
export function checkMakesTokens(caller: Caller): void {
  if (caller.credential.token === null) return;
  const message =
    "A token cannot make tokens: sign in, or use the admin token of the server (SIGNALBOX_ADMIN_TOKEN).";
  throw new Refused("forbidden", message);
}

/** Nobody hands out more than they have. */
export function checkGrants(caller: Caller, org: { id: number; name: string }, role: Role): void {
  const own = roleIn(caller.scope, org.id);
  if (own !== null && mayGrant(own, role)) return;
  const message = `You are ${own ?? "nobody"} in ${org.name}: a token of yours cannot be ${role}.`;
  throw new Refused("forbidden", message);
}
