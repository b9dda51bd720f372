/** Of which organizations and which name background jobs are asked about, as far as the caller sees them. */
import { SYSTEM_ORG, SYSTEM_ORG_ID } from "../../core/background/system_org.ts";
import type { TimeRange } from "../../core/metrics/time_range.ts";
import type { OrgFilter, Scope } from "../../core/scope.ts";
import { boundedSpan } from "../metrics/bounded_span.ts";
import { type GroupIds, groupIds, groupOrgs, MetricRefused } from "../metrics/groups.ts";
import type { MetricFilter } from "../metrics/metric_filter.ts";
import type { SeriesDeps } from "../metrics/read_series.ts";

export interface Whose {
  orgs: OrgFilter;
  /** Of the name that is asked for; null where none is. */
  ids: readonly number[] | null;
  /** What is counted as one: all that is asked for. */
  overall: GroupIds;
  /** As it is read: more coarsely where many organizations are added up. */
  range: TimeRange;
}

const ALL: GroupIds = { orgs: null, queues: null, names: null, workers: null };

/** Throws MetricRefused for what is not there, or not the caller's to see. */
export async function askedNames(
  deps: SeriesDeps,
  scope: Scope,
  { org, name }: Pick<MetricFilter, "org" | "name">,
  asked: TimeRange,
): Promise<Whose> {
  if (org === SYSTEM_ORG && scope.isSuperuser)
    return { ...(await ownNames(deps, name)), range: asked };
  const group = { org: org || undefined, name: name || undefined };
  const orgs = groupOrgs(deps, scope, group.org);
  const range = boundedSpan(deps, scope, asked, group);
  if (name !== "") {
    const overall = await groupIds(deps, scope, group, "org,name");
    return { orgs, ids: overall.names, overall, range };
  }
  return { orgs, ids: null, overall: orgs === "all" ? ALL : { ...ALL, orgs }, range };
}

async function ownNames({ reads }: SeriesDeps, name: string): Promise<Omit<Whose, "range">> {
  const orgs = [SYSTEM_ORG_ID];
  if (name === "") return { orgs, ids: null, overall: { ...ALL, orgs } };
  const rows = await reads<{ id: number }[]>`
    select id from job_name where org_id = ${SYSTEM_ORG_ID} and name = ${name}`;
  const ids = rows.map((row) => row.id);
  if (ids.length === 0)
    throw new MetricRefused("not_found", "name", `There is no job name ${name}.`);
  return { orgs, ids, overall: { ...ALL, orgs, names: ids } };
}
