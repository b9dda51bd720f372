/** Who is asking, put together for a test as the server does it. */
import {
  type Accounts,
  type AccountsOptions,
  createAccounts,
} from "../../../src/accounts/create.ts";
import { type Auth, createAuth } from "../../../src/web/auth.ts";

export interface AccessParts extends Omit<Accounts, "start" | "stop"> {
  auth: Auth;
  accounts: Accounts;
}

export type AccessPartsOptions = Partial<AccountsOptions> & Pick<AccountsOptions, "database">;

/** Started; stop `accounts` before the database is closed. */
export async function accessParts(
  adminToken: string,
  options: AccessPartsOptions,
): Promise<AccessParts> {
  const auth = createAuth({ adminToken });
  const accounts = createAccounts({
    admin: auth,
    adminToken,
    workerToken: undefined,
    onTrouble: () => {},
    ...options,
  });
  await accounts.start();
  return { ...accounts, auth, accounts };
}
