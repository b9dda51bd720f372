/** What reading jobs takes, out of what the API is made from and who asks. */
import { seenOrgs } from "../core/scope.ts";
import type { Sql } from "../db/client.ts";
import type { JobReader } from "../web/jobs/rows.ts";
import type { ApiDeps, Caller } from "./deps.ts";

export function jobReader(
  { database, engine }: ApiDeps,
  { scope }: Pick<Caller, "scope">,
): JobReader & { sql: Sql } {
  const orgs = seenOrgs(scope);
  return { sql: database.reads, names: engine.names, now: () => engine.now(), orgs };
}
