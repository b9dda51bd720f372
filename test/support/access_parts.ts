/** Who is asking, put together for a test as the server does it. */
import { createAccess } from "../../src/accounts/access.ts";
import {
  type Authentication,
  type AuthenticationOptions,
  createAuthentication,
} from "../../src/accounts/authentication.ts";
import type { Access } from "../../src/accounts/caller.ts";
import { Directory } from "../../src/accounts/directory.ts";
import { readRoles } from "../../src/accounts/roles.ts";
import type { Database } from "../../src/db/client.ts";
import { type Auth, createAuth } from "../../src/web/auth.ts";

export interface AccessParts {
  auth: Auth;
  access: Access;
  authentication: Authentication;
  directory: Directory;
}

export async function accessParts(
  database: Database,
  adminToken: string,
  own: Partial<AuthenticationOptions> = {},
): Promise<AccessParts> {
  const auth = createAuth({ adminToken });
  const directory = new Directory(database.reads);
  await directory.refresh();
  const authentication = createAuthentication({
    database,
    adminToken,
    publicUrl: undefined,
    oidc: null,
    onError: (message) => console.error(message),
    ...own,
  });
  const { sessions } = authentication;
  const roles = readRoles(database.reads);
  return {
    auth,
    directory,
    authentication,
    access: createAccess({ directory, admin: auth, sessions, roles }),
  };
}
