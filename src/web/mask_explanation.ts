/**
 * What of an explanation one reader may be told. A decision weighs the jobs of all organizations against
 * each other: of those that the reader does not see only their number is left. Pure.
 */
import { type Scope, sees } from "../core/scope.ts";
import type { Explanation, FullExplanation } from "../engine/explain.ts";

export interface Reader {
  scope: Scope;
  /** Whether they see the organization of this name. */
  seesName(org: string): boolean;
  /** Connected workers of organizations that they do not see. */
  hiddenWorkers: number;
}

export function maskExplanation(full: FullExplanation, reader: Reader): Explanation {
  const { whose, dispatch, ...rest } = full;
  const waits = full.state === "queued" || full.state === "ready";
  return {
    ...rest,
    ...(waits ? { hidden_workers: reader.hiddenWorkers } : {}),
    ...(dispatch ? { dispatch: maskDispatch(dispatch, whose, reader) } : {}),
  };
}

type Dispatch = NonNullable<Explanation["dispatch"]>;

function maskDispatch(
  dispatch: Dispatch,
  whose: FullExplanation["whose"],
  reader: Reader,
): Dispatch {
  const { scope } = reader;
  if (scope.isSuperuser) return { ...dispatch, hidden_candidates: 0 };
  const seen = dispatch.candidates.filter(({ job }) => {
    const org = whose.get(job);
    return org !== undefined && sees(scope, org);
  });
  const { contexts } = dispatch;
  return {
    ...dispatch,
    considered: null,
    candidates: seen,
    hidden_candidates: dispatch.candidates.length - seen.length,
    contexts: { ...contexts, instance: maskInstance(contexts.instance, reader) },
  };
}

/**
 * Sizes of the fleet, and how much the reader's own organizations used of it. How much others wait and run,
 * and means over everybody's jobs, are for superusers: from two of them a third can be told.
 */
function maskInstance(
  context: Record<string, unknown> | null,
  { seesName }: Reader,
): Record<string, unknown> | null {
  if (context === null) return null;
  const { workers, slots_offered, used_by_org } = context;
  const used = Object.entries((used_by_org ?? {}) as Record<string, number>);
  return {
    ...(workers === undefined ? {} : { workers }),
    ...(slots_offered === undefined ? {} : { slots_offered }),
    used_by_org: Object.fromEntries(used.filter(([org]) => seesName(org))),
  };
}
