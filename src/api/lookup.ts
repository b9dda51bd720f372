/**
 * Names in requests → what they name, for whoever sees it, or 404. Organizations are looked up in memory
 * alone: no statement tells one that is hidden from one that never was.
 */
import type { Organization } from "../accounts/directory.ts";
import { ABILITIES, type Ability, may, roleIn, type Scope, sees, sightOf } from "../core/scope.ts";
import { andOfFleet } from "../db/org_filter.ts";
import type { ApiDeps, Caller } from "./deps.ts";
import { ApiProblem } from "./problem.ts";

/** 404 where the caller does not see it, 403 where they see it and may not. */
export function orgOf(
  { directory }: Pick<ApiDeps, "directory">,
  { scope }: Pick<Caller, "scope">,
  name: string,
  ability: Ability,
): Organization {
  const org = directory.byName(name);
  if (org === undefined || !sees(scope, org.id)) throw noOrganization(name);
  demand(scope, org, ability);
  return org;
}

/** 404 where the caller may not even know its counts. */
export function requireCounted(
  { directory }: Pick<ApiDeps, "directory">,
  { scope }: Pick<Caller, "scope">,
  name: string,
): void {
  const org = directory.byName(name);
  if (org === undefined || sightOf(scope, org.id) === "nothing") throw noOrganization(name);
}

function noOrganization(name: string): ApiProblem {
  return new ApiProblem("not_found", `There is no organization ${quote(name)}.`);
}

/** `orgOf` for something that was found: its organization is seen, or it would not have been. */
export function requireIn(
  { directory }: Pick<ApiDeps, "directory">,
  { scope }: Pick<Caller, "scope">,
  org: number | null,
  ability: Ability,
): void {
  if (org === null) requireSuperuser(scope);
  else demand(scope, { id: org, name: directory.byId(org)?.name ?? "this one" }, ability);
}

/** For what is of the whole instance. Whoever has signed in knows that there is one. */
export function requireSuperuser(scope: Scope): void {
  if (!scope.isSuperuser) throw new ApiProblem("forbidden", "Only superusers may do this.");
}

function demand(scope: Scope, org: Pick<Organization, "id" | "name">, ability: Ability): void {
  if (may(scope, org.id, ability)) return;
  const own = roleIn(scope, org.id);
  const yours = own === null ? "you have none there" : `yours is ${own}`;
  const needs = `Needs the role ${ABILITIES[ability]} in organization ${org.name}`;
  throw new ApiProblem("forbidden", `${needs}; ${yours}. An admin of it can give it to you.`);
}

export async function queueIdOf(deps: ApiDeps, org: number, queue: string): Promise<number> {
  const id = await deps.engine.names.queueId(org, queue);
  if (id === undefined) throw new ApiProblem("not_found", `There is no queue ${quote(queue)}.`);
  return id;
}

/** One that may work for the organization: no job of it can have been elsewhere. */
export async function workerIdOf(deps: ApiDeps, org: number, uid: string): Promise<number> {
  const sql = deps.database.reads;
  const [row] = await sql`
    select w.id from worker w
    where w.uid = ${uid} ${andOfFleet(sql, sql`w.org_id`, { orgs: [org], shared: true })}`;
  if (row === undefined) throw notFound("worker", uid);
  return row.id as number;
}

export function notFound(what: string, id: string): ApiProblem {
  return new ApiProblem("not_found", `There is no ${what} ${id}.`);
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
