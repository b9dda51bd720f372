/** What reading jobs takes, out of what the API is made from. */
import type { Sql } from "../db/client.ts";
import type { ApiDeps } from "./deps.ts";
import type { JobReader } from "./jobs/rows.ts";

export function jobReader({ database, engine }: ApiDeps): JobReader & { sql: Sql } {
  return { sql: database.reads, names: engine.names, now: () => engine.now() };
}
