/**
 * What a caller may see and do: one value, made once a request, that decides every query, every live
 * event, every counter and every action. Pure: whoever asks hands in what is known.
 *
 * Superusers see all. Somebody who has signed in sees the organizations in which they have a role, and
 * public ones, in full; of others nothing but the size of the fleet. A stranger sees aggregates of
 * public organizations. A token narrows what its owner may, and never widens it.
 */

/** From least to most. */
export const ROLES = ["viewer", "member", "operator", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

/** What there is to be allowed in an organization, with the least role that may. */
export const ABILITIES = {
  /** Read jobs, logs, queues, workers, members. */
  view: "viewer",
  /** Submit jobs and workflows. */
  submit: "member",
  /** Cancel, retry, pause, resume, stop, drain, free, limit queues; run schedules by hand. */
  operate: "operator",
  /** Members, invitations, tokens, workers, settings, schedules, the audit log. */
  manage: "admin",
  /** Make owners, close the organization. */
  own: "owner",
} as const satisfies Record<string, Role>;
export type Ability = keyof typeof ABILITIES;

/** How much of an organization is seen. */
export type Sight = "full" | "aggregates" | "nothing";

export interface Scope {
  /** Sees and may everything, the instance's own switches too. */
  readonly isSuperuser: boolean;
  /** False for strangers. */
  readonly isSignedIn: boolean;
  /** By organization id. */
  readonly roles: ReadonlyMap<number, Role>;
  /** Ids of public organizations, as far as this scope reaches. */
  readonly open: ReadonlySet<number>;
}

/** Organizations by id, or all. */
export type OrgFilter = "all" | readonly number[];

export function superuserScope(): Scope {
  return { isSuperuser: true, isSignedIn: true, roles: new Map(), open: new Set() };
}

export function personScope(roles: Iterable<[number, Role]>, open: Iterable<number>): Scope {
  return { isSuperuser: false, isSignedIn: true, roles: new Map(roles), open: new Set(open) };
}

export function strangerScope(open: Iterable<number>): Scope {
  return { isSuperuser: false, isSignedIn: false, roles: new Map(), open: new Set(open) };
}

/** What is left of a scope in the hands of a token: one organization, at most this role, no instance. */
export function narrowed(scope: Scope, limit: { org: number | null; role: Role | null }): Scope {
  if (limit.org === null) {
    if (limit.role === null) return scope;
    // All of the owner's organizations. A superuser's would be all there are: who wants that says so.
    const roles = [...scope.roles].map(([org, role]) => [org, lesser(role, limit.role!)] as const);
    return { ...scope, isSuperuser: false, roles: new Map(roles) };
  }
  const { org } = limit;
  const own = roleIn(scope, org);
  const roles = own === null ? [] : [[org, limit.role ? lesser(own, limit.role) : own] as const];
  const open = scope.open.has(org) ? [org] : [];
  return { isSuperuser: false, isSignedIn: true, roles: new Map(roles), open: new Set(open) };
}

/** A superuser is owner everywhere. */
export function roleIn(scope: Scope, org: number): Role | null {
  return scope.isSuperuser ? "owner" : (scope.roles.get(org) ?? null);
}

export function sightOf(scope: Scope, org: number): Sight {
  if (roleIn(scope, org) !== null) return "full";
  if (!scope.open.has(org)) return "nothing";
  return scope.isSignedIn ? "full" : "aggregates";
}

export function sees(scope: Scope, org: number): boolean {
  return sightOf(scope, org) === "full";
}

export function may(scope: Scope, org: number, ability: Ability): boolean {
  const role = roleIn(scope, org);
  if (role === null) return ability === "view" && sees(scope, org);
  return rank(role) >= rank(ABILITIES[ability]);
}

/** Organizations whose rows may be read. */
export function seenOrgs(scope: Scope): OrgFilter {
  if (scope.isSuperuser) return "all";
  const ids = new Set(scope.roles.keys());
  if (scope.isSignedIn) for (const org of scope.open) ids.add(org);
  return sorted(ids);
}

/** Organizations in which it may do this. */
export function orgsThatMay(scope: Scope, ability: Ability): OrgFilter {
  if (scope.isSuperuser) return "all";
  return sorted([...scope.roles.keys()].filter((org) => may(scope, org, ability)));
}

/** Organizations whose counts may be told: more than may be read, for strangers. */
export function countedOrgs(scope: Scope): OrgFilter {
  return scope.isSuperuser ? "all" : sorted([...scope.roles.keys(), ...scope.open]);
}

/** A worker of an organization, or (null) of the fleet that all organizations share. */
export function seesWorker(scope: Scope, org: number | null): boolean {
  return org === null ? scope.isSignedIn : sees(scope, org);
}

/** Equal keys see the same: what is read for one may be shown to the other. */
export function sightKey(scope: Scope): string {
  if (scope.isSuperuser) return "all";
  const seen = seenOrgs(scope) as readonly number[];
  const counted = countedOrgs(scope) as readonly number[];
  return `${scope.isSignedIn ? "in" : "out"}:${seen.join()}:${counted.join()}`;
}

/** Whether both see and may the same. */
export function sameScope(a: Scope, b: Scope): boolean {
  if (a.isSuperuser !== b.isSuperuser || a.isSignedIn !== b.isSignedIn) return false;
  if (a.roles.size !== b.roles.size || a.open.size !== b.open.size) return false;
  for (const [org, role] of a.roles) if (b.roles.get(org) !== role) return false;
  for (const org of a.open) if (!b.open.has(org)) return false;
  return true;
}

export function lesser(a: Role, b: Role): Role {
  return rank(a) <= rank(b) ? a : b;
}

/** Whether somebody with this role may give or take the other: nobody hands out more than they have. */
export function mayGrant(own: Role, other: Role): boolean {
  return rank(own) >= rank(ABILITIES.manage) && rank(other) <= rank(own);
}

function rank(role: Role): number {
  return ROLES.indexOf(role);
}

function sorted(ids: Iterable<number>): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}
