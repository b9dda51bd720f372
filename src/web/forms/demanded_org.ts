/** The organization that a page is asked about, for whoever may: nobody learns of one that they do not see. */
import type { Directory, Organization } from "../../accounts/directory.ts";
import { ABILITIES, type Ability, may, type Scope, sees } from "../../core/scope.ts";
import { PageError } from "../errors.ts";

/** As the API answers: 404 where the caller does not see it, 403 where they see it and may not. */
export function demandedOrg(
  { directory }: { directory: Directory },
  scope: Scope,
  name: string,
  ability: Ability,
): Organization {
  const org = directory.byName(name);
  if (org === undefined || !sees(scope, org.id)) throw noneSeen("organization", name);
  if (!may(scope, org.id, ability)) throw mayNot(ability, org.name);
  return org;
}

export function mayNot(ability: Ability, where: string): PageError {
  const needs = `Needs the role ${ABILITIES[ability]} in ${where}.`;
  return new PageError(403, "You may not do that", `${needs} An admin of it can give it to you.`);
}

export function noneSeen(what: string, name: string): PageError {
  return new PageError(404, `No such ${what}`, `There is no ${what} ${name} that you may see.`);
}
