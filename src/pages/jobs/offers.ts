/** Values that a search can be completed with, of what its reader sees. Bounded reads, all of them. */
import { seenFleet } from "../../accounts/asked_orgs.ts";
import { JOB_STATES } from "../../core/job_state.ts";
import { type OrgFilter, type Scope, seenOrgs, sees } from "../../core/scope.ts";
import type { Key } from "../../core/search/keys.ts";
import type { Sql } from "../../db/client.ts";
import { andOfFleet, andOfOrgs } from "../../db/org_filter.ts";
import type { BoardDeps } from "../../web/shell.ts";

export const OFFERS_MAX = 12;
/** Names that are looked through for those that fit. */
const LOOKED_AT_MAX = 5_000;
const RECENT_JOBS = 300;
const RECENT_WORKFLOWS = 500;
const AGES = ["<1h", "<24h", "<7d", ">24h"];

export async function valuesFor(
  { database, directory }: Pick<BoardDeps, "database" | "directory">,
  scope: Scope,
  { key, prefix }: { key: Key; prefix: string },
): Promise<string[]> {
  const { reads } = database;
  const orgs = seenOrgs(scope);
  switch (key) {
    case "state":
      return fitting([...JOB_STATES], prefix);
    case "created":
    case "ended":
      return fitting(AGES, prefix);
    case "priority":
      return fitting([">0", ">10", "<0"], prefix);
    case "attempts":
      return fitting([">1", ">2"], prefix);
    case "org":
      return fitting(
        [...directory.all].filter(({ id }) => sees(scope, id)).map(({ name }) => name),
        prefix,
      );
    case "queue":
      return fitting(await queueNames(reads, orgs), prefix);
    case "name":
      return fitting(await jobNames(reads, orgs), prefix);
    case "worker":
      return fitting(await workerNames(reads, scope), prefix);
    case "workflow":
      return fitting(await workflowNames(reads, orgs), prefix);
    case "tag":
      return tagValues(await recentTags(reads, orgs), prefix);
    default:
      return [];
  }
}

type Named = { name: string }[];
const namesOf = (rows: Named) => rows.map(({ name }) => name);

async function queueNames(sql: Sql, orgs: OrgFilter) {
  return namesOf(
    await sql<Named>`
    select name from queue where true ${andOfOrgs(sql, sql`org_id`, orgs)} limit ${LOOKED_AT_MAX}`,
  );
}

async function jobNames(sql: Sql, orgs: OrgFilter) {
  return namesOf(
    await sql<Named>`
    select name from job_name where true ${andOfOrgs(sql, sql`org_id`, orgs)} limit ${LOOKED_AT_MAX}`,
  );
}

async function workerNames(sql: Sql, scope: Scope) {
  return namesOf(
    await sql<Named>`
    select name from worker where true ${andOfFleet(sql, sql`org_id`, seenFleet(scope))}
    limit ${LOOKED_AT_MAX}`,
  );
}

/** Of each organization for itself: only there is the index in the order of their making. */
async function workflowNames(sql: Sql, orgs: OrgFilter) {
  if (orgs === "all") {
    return namesOf(
      await sql<Named>`
      select name from workflow order by id desc limit ${RECENT_WORKFLOWS}`,
    );
  }
  return namesOf(
    await sql<Named>`
    select w.name from unnest(${orgs as number[]}::int[]) as o(id) cross join lateral (
      select name from workflow where org_id = o.id order by id desc limit ${share(RECENT_WORKFLOWS, orgs)}) w`,
  );
}

async function recentTags(sql: Sql, orgs: OrgFilter): Promise<[string, string][]> {
  const recent =
    orgs === "all"
      ? sql`select tags from job order by id desc limit ${RECENT_JOBS}`
      : sql`select j.tags from unnest(${orgs as number[]}::int[]) as o(id) cross join lateral (
          select tags from job where org_id = o.id order by id desc limit ${share(RECENT_JOBS, orgs)}) j`;
  const rows = await sql<{ key: string; value: string }[]>`
    select distinct t.key, t.value from (${recent}) j cross join lateral jsonb_each_text(j.tags) t
    where jsonb_typeof(j.tags) = 'object'`;
  return rows.map(({ key, value }) => [key, value]);
}

function share(all: number, orgs: readonly number[]): number {
  return Math.max(1, Math.floor(all / Math.max(1, orgs.length)));
}

/** Keys first, then the values of the one that was chosen. */
function tagValues(tags: readonly [string, string][], prefix: string): string[] {
  const equals = prefix.indexOf("=");
  if (equals < 0) {
    return fitting(
      tags.map(([key]) => `${key}=`),
      prefix,
    );
  }
  const chosen = tags.filter(([key]) => key === prefix.slice(0, equals));
  return fitting(
    chosen.map(([key, value]) => `${key}=${value}`),
    prefix,
  );
}

/** Those that begin so before those that hold it; case does not matter. */
function fitting(all: readonly string[], prefix: string): string[] {
  const wanted = prefix.toLowerCase();
  const fit = [...new Set(all)].filter((name) => name.toLowerCase().includes(wanted)).sort();
  const begins = (name: string) => name.toLowerCase().startsWith(wanted);
  return [...fit.filter(begins), ...fit.filter((name) => !begins(name))].slice(0, OFFERS_MAX);
}
