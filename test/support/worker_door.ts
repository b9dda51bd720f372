/** A door for workers without a database behind it: one token, that of organization default. */
import type { Admission, WorkerAccess } from "../../src/accounts/worker_access.ts";

export const ADMITTED: Admission = {
  grant: { org: "default" },
  refusal: () => null,
  watch: () => () => {},
};

export function admitOnly(token: string | undefined): WorkerAccess {
  return { admit: async (shown) => (token !== undefined && shown === token ? ADMITTED : null) };
}
