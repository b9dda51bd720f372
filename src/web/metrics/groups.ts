/**
 * Which stored groups answer a question: organizations, queues, names and workers as numbers, and which
 * set of dimensions they are kept under. What the caller may not see and what is not there are one:
 * no group, and so no row.
 */

import { seenFleet } from "../../accounts/asked_orgs.ts";
import type { Directory } from "../../accounts/directory.ts";
import {
  type Dimension,
  type Grouping,
  groupingFor,
  type Metric,
} from "../../core/metrics/catalogue.ts";
import { onlyOrg } from "../../core/org_filter.ts";
import { countedOrgs, type OrgFilter, type Scope, seenOrgs } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, andOfOrgs } from "../../db/org_filter.ts";

/** By name, as people write them; undefined asks for all. */
export interface MetricGroup {
  org?: string | undefined;
  queue?: string | undefined;
  name?: string | undefined;
  /** A worker's uuid. */
  worker?: string | undefined;
}

/** Ids of which a row must have one each; null: 0, which stands for all. */
export interface GroupIds {
  orgs: readonly number[] | null;
  queues: readonly number[] | null;
  names: readonly number[] | null;
  workers: readonly number[] | null;
}

export type RefusalKind = "not_found" | "invalid" | "forbidden";

/** The question cannot be answered, and a person can mend that. */
export class MetricRefused extends Error {
  readonly kind: RefusalKind;
  readonly field: string;
  constructor(kind: RefusalKind, field: string, message: string) {
    super(message);
    this.name = "MetricRefused";
    this.kind = kind;
    this.field = field;
  }
}

export interface GroupDeps {
  reads: Sql;
  directory: Pick<Directory, "all" | "byName">;
}

/** Throws MetricRefused for what would tell more than the caller may see. */
export function requireTold({ key, only }: Metric, { isSuperuser }: Scope): void {
  if (only === undefined || isSuperuser) return;
  const text = `${key} is for superusers: from one organization's figure those of others can be told.`;
  throw new MetricRefused("forbidden", "metric", text);
}

/** Dimensions that are narrowed or split by. */
export function dimensionsOf(group: MetricGroup, by: Dimension | undefined): Dimension[] {
  const named = (["org", "queue", "name", "worker"] as const).filter(
    (one) => group[one] !== undefined,
  );
  return by && !named.includes(by) ? [...named, by] : named;
}

/**
 * The kept grouping for these dimensions. Queues and names belong to organizations: whoever asks for
 * one asks for the organizations too. Throws MetricRefused where the pair is not kept.
 */
export function keptGrouping(
  metric: Metric,
  dimensions: readonly Dimension[],
  isMasked: boolean,
): Grouping {
  const wanted = new Set(dimensions);
  if (wanted.has("queue") || wanted.has("name")) wanted.add("org");
  // Whoever does not see everything is answered by adding up what they see.
  if (isMasked && !wanted.has("worker")) wanted.add("org");
  const grouping = groupingFor(metric, [...wanted]);
  if (grouping !== null) return grouping;
  const kept = metric.groupings.map((one) => (one === "" ? "none" : one.replace(",", " with ")));
  const asked = dimensions.join(" with ") || "no dimension";
  const text = `${metric.key} is not kept by ${asked}: it is kept by ${kept.join("; ")}.`;
  throw new MetricRefused("invalid", dimensions.at(-1) ?? "metric", text);
}

/** What the caller may count, narrowed to the organization that is asked for. */
export function groupOrgs(
  { directory }: GroupDeps,
  scope: Scope,
  org: string | undefined,
): OrgFilter {
  const visible = scope.isSignedIn ? seenOrgs(scope) : countedOrgs(scope);
  if (org === undefined) return visible;
  const found = directory.byName(org);
  const only = found === undefined ? [] : onlyOrg(visible, found.id);
  if (only.length > 0) return only;
  throw new MetricRefused("not_found", "org", `There is no organization ${org}.`);
}

/**
 * How many stored groups are added up for an answer: of all that there are a sum is kept, and so it is of
 * one organization; of some of them, and of queues or names that are called the same, it is not.
 */
export function countGroups(deps: GroupDeps, scope: Scope, group: MetricGroup): number {
  if (group.worker !== undefined) return 1;
  const orgs = groupOrgs(deps, scope, group.org);
  if (orgs === "all") {
    const isShared = group.queue !== undefined || group.name !== undefined;
    return isShared ? countOrgs(deps) : 1;
  }
  // The workers that all share are a group beside them.
  return group.org === undefined ? orgs.length + 1 : 1;
}

export function countOrgs({ directory }: Pick<GroupDeps, "directory">): number {
  return [...directory.all].length;
}

/** Reads the ids behind names. `grouping` says which of them are part of a row's key. */
export async function groupIds(
  deps: GroupDeps,
  scope: Scope,
  group: MetricGroup,
  grouping: Grouping,
): Promise<GroupIds> {
  const none: GroupIds = { orgs: null, queues: null, names: null, workers: null };
  if (grouping === "worker")
    return { ...none, workers: await workerIds(deps, scope, group.worker) };
  const orgs = groupOrgs(deps, scope, group.org);
  if (grouping === "") return none;
  const keys = { ...none, orgs: orgs === "all" ? await allOrgs(deps) : orgs };
  if (grouping === "org,queue") return { ...keys, queues: await queueIds(deps, orgs, group.queue) };
  if (grouping === "org,name") return { ...keys, names: await nameIds(deps, orgs, group.name) };
  return keys;
}

async function allOrgs({ reads }: GroupDeps): Promise<number[]> {
  const rows = await reads<{ id: number }[]>`select id from org order by id`;
  return rows.map((row) => row.id);
}

/** More than one can show: the groups of a split are capped when they are read. */
const IDS_MAX = 1_000;

async function queueIds({ reads }: GroupDeps, orgs: OrgFilter, name: string | undefined) {
  const named = name === undefined ? reads`` : reads`and name = ${name}`;
  const rows = await reads<{ id: number }[]>`
    select id from queue where true ${named} ${andOfOrgs(reads, reads`org_id`, orgs)}
    order by id limit ${IDS_MAX}`;
  if (rows.length > 0 || name === undefined) return withRest(rows, name);
  throw new MetricRefused("not_found", "queue", `There is no queue ${name}.`);
}

async function nameIds({ reads }: GroupDeps, orgs: OrgFilter, name: string | undefined) {
  const named = name === undefined ? reads`and counted` : reads`and name = ${name}`;
  const rows = await reads<{ id: number; counted: boolean }[]>`
    select id, counted from job_name where true ${named} ${andOfOrgs(reads, reads`org_id`, orgs)}
    order by id limit ${IDS_MAX}`;
  if (rows.length === 0 && name !== undefined) {
    throw new MetricRefused("not_found", "name", `There is no job name ${name}.`);
  }
  const counted = rows.filter((row) => row.counted);
  if (counted.length > 0 || name === undefined) return withRest(counted, name);
  const text = `${name} is beyond the first 200 names of its organization, which are counted together as others.`;
  throw new MetricRefused("invalid", "name", text);
}

/** A split shows the members without rows of their own, too. */
function withRest(rows: readonly { id: number }[], name: string | undefined): number[] {
  const ids = rows.map((row) => row.id);
  return name === undefined ? [...ids, -1] : ids;
}

async function workerIds({ reads }: GroupDeps, scope: Scope, uid: string | undefined) {
  const named = uid === undefined ? reads`` : reads`and uid = ${uid}`;
  const rows = await reads<{ id: number }[]>`
    select id from worker where true ${named} ${andOfFleet(reads, reads`org_id`, seenFleet(scope))}
    order by id desc limit ${IDS_MAX}`;
  if (rows.length > 0 || uid === undefined) return rows.map((row) => row.id);
  throw new MetricRefused("not_found", "worker", `There is no worker ${uid}.`);
}
