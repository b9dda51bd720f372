/** The API and the board asked by somebody with a certain scope, without an account: for tests of what a scope may. */
import type { Access, Caller } from "../../../src/accounts/caller.ts";
import { personScope, type Role, type Scope, superuserScope } from "../../../src/core/scope.ts";

/** Requests say in `x-as` who asks: a name of `scopes`. */
export function accessAs(scopes: Readonly<Record<string, Scope>>): Access {
  return {
    authenticate: async (request, address) => {
      const name = request.headers.get("x-as") ?? "";
      const scope = scopes[name];
      return scope ? callerOf(name, scope, address ?? null) : null;
    },
    mayReadMetrics: async () => false,
    watch: () => () => {},
  };
}

export function roleIn(org: number, role: Role, open: number[] = []): Scope {
  return personScope([[org, role]], open);
}

function callerOf(name: string, scope: Scope, address: string | null): Caller {
  return {
    author: { name, user: `person-${name}`, token: null, address },
    scope,
    via: "token",
    credential: { person: `person-${name}`, session: null, token: null, expiresAt: null },
  };
}

export const SUPERUSER = superuserScope();
