/** The costliest attempts that a caller sees, of some days: told by the page of rankings and by the API alike. */
import { ROWS_MAX } from "../../core/metrics/buckets.ts";
import { knownMetric } from "../../core/metrics/catalogue.ts";
import type { Scope } from "../../core/scope.ts";
import { MEASURES, type Measure } from "../../db/statements/rollups/write_rankings.ts";
import {
  dimensionsOf,
  type GroupDeps,
  groupIds,
  groupOrgs,
  keptGrouping,
  type MetricGroup,
  MetricRefused,
} from "../metrics/groups.ts";
import {
  firstRankedDay,
  listsOf,
  type RankedAttempt,
  readRankedAttempts,
} from "./ranked_attempts.ts";

const DAY_MS = 86_400_000;

/** Days of UTC, both included: "2026-11-22". */
export interface RankingAsk {
  measure: Measure;
  from: string;
  to: string;
  group: Pick<MetricGroup, "org" | "queue" | "name">;
}

export interface Ranking {
  attempts: RankedAttempt[];
  /** Nothing is kept of days before it; null: of no day at all. */
  firstDay: string | null;
}

/** Throws MetricRefused where it cannot be answered. */
export async function readRanking(
  deps: GroupDeps,
  scope: Scope,
  { measure, from, to, group }: RankingAsk,
): Promise<Ranking> {
  const orgs = groupOrgs(deps, scope, group.org);
  const metric = knownMetric(MEASURES[measure]);
  const grouping = keptGrouping(metric, dimensionsOf(group, undefined), orgs !== "all");
  const ids = await groupIds(deps, scope, group, grouping);
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  const lists = listsOf(ids);
  if (lists * days > ROWS_MAX) {
    const text = `These are the lists of ${lists} groups on ${days} days, too many for one answer: name an organization, or take a shorter time.`;
    throw new MetricRefused("invalid", "org", text);
  }
  const attempts = await readRankedAttempts(deps.reads, { measure, from, to, ids });
  const firstDay = await firstRankedDay(deps.reads, orgs === "all" ? [0] : orgs);
  return { attempts, firstDay };
}
