/** The same routes twice: of an organization, and (for superusers) of the instance, which is every organization's. */
import { z } from "zod";
import type { Ability } from "../../core/scope.ts";
import { type Asking, inOrg, superusersOnly } from "../allowed.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { orgOf } from "../lookup.ts";
import { orgParams } from "../query.ts";

export interface Level {
  /** `/orgs/{org}/silences`, or `/silences`. */
  base: string;
  where: string;
  params: z.ZodType<{ org: string }>;
  /** With an id. */
  oneParams: z.ZodType<{ org: string; id: string }>;
  allow(asking: Asking<{ org: string }>): unknown;
  /** The organization's id; null: the instance. Throws 404 and 403. */
  whose(deps: ApiDeps, caller: Caller, org: string, ability?: Ability): number | null;
}

const id = z.uuid().toLowerCase();

export function levelsOf(thing: string): readonly [ofOrg: Level, ofInstance: Level] {
  const ofOrg: Level = {
    base: `/orgs/{org}/${thing}`,
    where: "of an organization",
    params: orgParams,
    oneParams: orgParams.extend({ id }),
    allow: inOrg("operate"),
    whose: (deps, caller, org, ability = "operate") => orgOf(deps, caller, org, ability).id,
  };
  const ofInstance: Level = {
    base: `/${thing}`,
    where: "of the instance, for superusers",
    // What has no organization in its path is asked for none.
    params: z.strictObject({}) as unknown as Level["params"],
    oneParams: z.strictObject({ id }) as unknown as Level["oneParams"],
    allow: superusersOnly,
    whose: () => null,
  };
  return [ofOrg, ofInstance];
}
