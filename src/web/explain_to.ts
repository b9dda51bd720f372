/** Why a job is where it is, for one reader. Whether they see the job at all was asked before. */
import { seenFleet } from "../accounts/asked_orgs.ts";
import type { Directory } from "../accounts/directory.ts";
import { type Scope, sees } from "../core/scope.ts";
import type { Database } from "../db/client.ts";
import { readFleetSize } from "../db/fleet.ts";
import type { Engine, Explanation } from "../engine/engine.ts";
import { maskExplanation } from "./mask_explanation.ts";

export interface ExplainDeps {
  engine: Pick<Engine, "explain">;
  database: Pick<Database, "reads">;
  directory: Pick<Directory, "byName">;
}

/** Null where there is no such attempt. */
export async function explainTo(
  { engine, database, directory }: ExplainDeps,
  scope: Scope,
  id: string,
  attempt?: number,
): Promise<Explanation | null> {
  const full = await engine.explain(id, attempt);
  if (full === null) return null;
  const hiddenWorkers = await countHidden(database, scope, full);
  const seesName = (name: string) => {
    const org = directory.byName(name);
    return org !== undefined && sees(scope, org.id);
  };
  return maskExplanation(full, { scope, seesName, hiddenWorkers });
}

/** Told of jobs that wait only; and who sees all has none hidden. */
async function countHidden(
  { reads }: Pick<Database, "reads">,
  scope: Scope,
  { state }: Explanation,
): Promise<number> {
  const seen = seenFleet(scope);
  const isWaiting = state === "queued" || state === "ready";
  if (!isWaiting || (seen.orgs === "all" && seen.shared)) return 0;
  return (await readFleetSize(reads, seen, seen)).workers.hidden;
}
