/** Whose attempts ran the longest, added up: for superusers, on the page of rankings and as JSON. */
import type { Directory } from "../../accounts/directory.ts";
import type { Coverage } from "../../core/metrics/series.ts";
import type { Scope } from "../../core/scope.ts";
import { spanWithin } from "../metrics/bounded_span.ts";
import { countOrgs } from "../metrics/groups.ts";
import { readSplit, type SeriesDeps, type Span } from "../metrics/read_series.ts";

export interface BusyOrg {
  /** Null: all that are not named. */
  org: string | null;
  runMs: number;
  /** That succeeded. */
  attempts: number;
}

export interface BusiestOrgs {
  orgs: BusyOrg[];
  /** As it was read: more coarsely than asked where there are many organizations. */
  span: Span;
  covered: Coverage;
}

export const ORGS_NAMED = 15;

/** Null where there are too many organizations to be added up over this time. */
export async function readBusiestOrgs(
  deps: SeriesDeps & { directory: Pick<Directory, "byId"> },
  scope: Scope,
  asked: Span,
): Promise<BusiestOrgs | null> {
  const span = spanWithin(asked, countOrgs(deps));
  if (span === null) return null;
  const { series, covered } = await readSplit(deps, scope, {
    ...{ granularity: span.granularity, from: span.from, to: span.to, group: {} },
    ...{ metric: "jobs.duration_ms", by: "org", most: ORGS_NAMED, histograms: false },
  });
  const orgs = series.map(({ id, total }) => {
    const { sum: runMs, count: attempts } = total;
    return { org: deps.directory.byId(id)?.name ?? null, runMs, attempts };
  });
  return { orgs, span, covered };
}
