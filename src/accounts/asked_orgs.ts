/** Which organizations a question is about: those that its caller may, or the one that is named. */
import { onlyOrg } from "../core/org_filter.ts";
import { type OrgFilter, type Scope, seenOrgs } from "../core/scope.ts";
import type { FleetFilter } from "../db/org_filter.ts";
import type { Directory } from "./directory.ts";

/** `name` empty: all of them. A name that is hidden and one that is not there give none. */
export function askedOrgs(directory: Directory, orgs: OrgFilter, name: string): OrgFilter {
  if (name === "") return orgs;
  const org = directory.byName(name);
  return org === undefined ? [] : onlyOrg(orgs, org.id);
}

/** The workers that a scope sees: of its organizations, and those that all share. */
export function seenFleet(scope: Scope): FleetFilter {
  return { orgs: seenOrgs(scope), shared: scope.isSignedIn };
}
