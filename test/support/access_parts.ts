/** Who is asking, put together for a test as the server does it. */
import { createAccess } from "../../src/accounts/access.ts";
import type { Access } from "../../src/accounts/caller.ts";
import { Directory } from "../../src/accounts/directory.ts";
import type { Database } from "../../src/db/client.ts";
import { type Auth, createAuth } from "../../src/web/auth.ts";

export interface AccessParts {
  auth: Auth;
  access: Access;
  directory: Directory;
}

export async function accessParts(database: Database, adminToken: string): Promise<AccessParts> {
  const auth = createAuth({ adminToken });
  const directory = new Directory(database.reads);
  await directory.refresh();
  return { auth, directory, access: createAccess({ directory, admin: auth }) };
}
