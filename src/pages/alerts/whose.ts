/** Whose alerts are asked about, and by whom: as the API answers, and only to forms of our own. */
import type { Organization } from "../../accounts/directory.ts";
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { type Scope, sees } from "../../core/scope.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import { demandedOrg, noneSeen } from "../../web/forms/demanded_org.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";

export const HOME = "/board/alerts";

export async function ownForm(c: BoardContext): Promise<URLSearchParams> {
  if (isSameOrigin(c.req.raw)) return await readForm(c.req.raw);
  throw new PageError(403, "From elsewhere", "Use the board's own form.");
}

/** The address says of which organization; null: of none in particular. */
export function askedOrg(shell: Shell, scope: Scope, name: string): Organization | null {
  if (name === "") return null;
  const org = shell.deps.directory.byName(name);
  if (org && sees(scope, org.id)) return org;
  throw new PageError(404, "No such organization", "There is none of that name that you may see.");
}

export function seenBy(shell: Shell, scope: Scope): Organization[] {
  return [...shell.deps.directory.all].filter(({ id }) => sees(scope, id));
}

export function alone<T>(all: readonly T[]): T | null {
  return all.length === 1 ? all[0]! : null;
}

/** Of an organization, or (null) of the instance, which is every organization's. */
export function demandedLevel(shell: Shell, scope: Scope, name: string): Organization | null {
  if (name !== "") return demandedOrg(shell.deps, scope, name, "operate");
  if (scope.isSuperuser) return null;
  const detail = "What hears of every organization is the business of superusers.";
  throw new PageError(403, "You may not do that", detail);
}

export function noChannel(id: string): PageError {
  return noneSeen("channel", id);
}
