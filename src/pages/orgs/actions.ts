/** The forms of an organization's page: what each asks of the accounts. */
import type { Caller } from "../../accounts/caller.ts";
import type { Organization } from "../../accounts/directory.ts";
import { granterOf } from "../../accounts/members.ts";
import { Refused } from "../../accounts/refused.ts";
import { may, ROLES, type Role } from "../../core/scope.ts";
import type { BoardDeps } from "../../web/shell.ts";

/** Shown this one time. */
export interface Once {
  what: "invitation" | "token" | "worker token";
  name: string;
  secret: string;
}

export interface ActionInput {
  deps: BoardDeps;
  caller: Caller;
  org: Organization;
  fields: URLSearchParams;
  /** From the path, where it names one thing. */
  id: string;
}

export interface Action {
  /** Below the organization's page. */
  path: string;
  /** Throws Refused. */
  run(input: ActionInput): Promise<Once | undefined>;
  /** Afterwards the page may be out of sight. */
  leaves?: true;
}

const NAME_MAX = 100;
const DAY_MS = 86_400_000;
const DAYS_MAX = 3_650;

const settings: Action = {
  path: "settings",
  run: async ({ deps, caller, org, fields }) => {
    manages(caller, org);
    const change = { title: fields.get("title"), isPublic: fields.has("public") };
    await deps.accounts.organizations.change(org, change, caller.author);
    await deps.directory.refresh();
    return undefined;
  },
};

const setRole: Action = {
  path: "members/:id/role",
  run: async ({ deps, caller, org, fields, id }) => {
    manages(caller, org);
    const { members } = deps.accounts;
    const isKnown = await members.has(org.id, id);
    const done = isKnown && (await members.set(org, id, roleOf(fields), granterOf(caller, org)));
    if (!done) throw new Refused("not_found", "There is no such member.");
    return undefined;
  },
};

const removeMember: Action = {
  path: "members/:id/remove",
  leaves: true,
  run: async ({ deps, caller, org, id }) => {
    if (caller.credential.person !== id) manages(caller, org);
    const done = await deps.accounts.members.remove(org, id, granterOf(caller, org), null);
    if (!done) throw new Refused("not_found", "There is no such member.");
    return undefined;
  },
};

const invite: Action = {
  path: "invitations",
  run: async ({ deps, caller, org, fields }) => {
    manages(caller, org);
    const wanted = { role: roleOf(fields), email: fields.get("email") };
    const by = granterOf(caller, org);
    const { invitation, secret } = await deps.accounts.invitations.create(org, wanted, by);
    return { what: "invitation", name: invitation.role, secret: `/invitations/${secret}` };
  },
};

const uninvite: Action = {
  path: "invitations/:id/revoke",
  run: async ({ deps, caller, org, id }) => {
    manages(caller, org);
    if (await deps.accounts.invitations.revoke(org, uuidOf(id), caller.author)) return undefined;
    throw new Refused("not_found", "There is no such open invitation.");
  },
};

const makeToken: Action = {
  path: "tokens",
  run: async ({ deps, caller, org, fields }) => {
    const wanted = { name: nameOf(fields), role: roleOf(fields), purpose: "api" as const };
    const asked = { ...wanted, expiresAt: expiryOf(fields, deps.engine.now()) };
    const { token, secret } = await deps.accounts.tokens.create(caller, org, asked);
    return { what: "token", name: token.name, secret };
  },
};

const revokeToken: Action = {
  path: "tokens/:id/revoke",
  run: async ({ deps, caller, org, id }) => {
    await deps.accounts.tokens.revoke(caller, org, uuidOf(id));
    return undefined;
  },
};

const makeWorkerToken: Action = {
  path: "worker-tokens",
  run: async ({ deps, caller, org, fields }) => {
    const pool = (fields.get("pool") ?? "").trim() || null;
    if (pool !== null && !/^[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}$/.test(pool)) {
      throw new Refused("invalid", "A pool is called by letters, digits and . _ : + -.", "pool");
    }
    const open = { features: null, kinds: null, slots_max: null, pool };
    const asked = { ...open, name: nameOf(fields), expiresAt: expiryOf(fields, deps.engine.now()) };
    const { token, secret } = await deps.accounts.workerTokens.create(caller, org, asked);
    return { what: "worker token", name: token.name, secret };
  },
};

const revokeWorkerToken: Action = {
  path: "worker-tokens/:id/revoke",
  run: async ({ deps, caller, org, id }) => {
    await deps.accounts.workerTokens.revoke(caller, org, uuidOf(id));
    return undefined;
  },
};

export const ACTIONS: readonly Action[] = [
  settings,
  setRole,
  removeMember,
  invite,
  uninvite,
  makeToken,
  revokeToken,
  makeWorkerToken,
  revokeWorkerToken,
];

// Fields

function manages({ scope }: Caller, org: Organization): void {
  if (may(scope, org.id, "manage")) return;
  throw new Refused("forbidden", `That is the business of admins and owners of ${org.name}.`);
}

function roleOf(fields: URLSearchParams): Role {
  const role = ROLES.find((one) => one === fields.get("role"));
  if (role) return role;
  throw new Refused("invalid", `A role is one of ${ROLES.join(", ")}.`, "role");
}

function nameOf(fields: URLSearchParams): string {
  const name = (fields.get("name") ?? "").trim();
  if (name !== "" && name.length <= NAME_MAX && !/\p{Cc}/u.test(name)) return name;
  throw new Refused("invalid", `A name has 1 to ${NAME_MAX} letters.`, "name");
}

/** Empty: until it is revoked. */
function expiryOf(fields: URLSearchParams, now: number): Date | null {
  const text = (fields.get("days") ?? "").trim();
  if (text === "") return null;
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= DAYS_MAX) return new Date(now + days * DAY_MS);
  throw new Refused("invalid", `It lasts 1 to ${DAYS_MAX} days, or until it is revoked.`, "days");
}

/** What is no id names nothing. */
function uuidOf(id: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw new Refused("not_found", "There is no such thing.");
}
