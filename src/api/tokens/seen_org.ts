/** The organization that a path names, as far as the caller sees it. */
import type { Caller } from "../../accounts/caller.ts";
import type { Organization } from "../../accounts/directory.ts";
import { sees } from "../../core/scope.ts";
import type { ApiDeps } from "../deps.ts";
import { ApiProblem } from "../problem.ts";

/** What is not seen and what does not exist answer alike. */
export function seenOrg({ directory }: ApiDeps, caller: Caller, name: string): Organization {
  const org = directory.byName(name);
  if (org !== undefined && sees(caller.scope, org.id)) return org;
  throw new ApiProblem("not_found", `There is no organization ${JSON.stringify(name)}.`);
}
