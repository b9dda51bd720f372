/**
 * Who held how many slots, and to how many they were entitled. Shares and entitlements are of the work of
 * all, from which one's own and a little arithmetic give the others': they are for superusers. Everybody
 * else is told how many slots their own organizations held (docs/access.md: jobs of others are not even
 * counted).
 */
import type { Directory } from "../../accounts/directory.ts";
import type { Granularity } from "../../core/metrics/buckets.ts";
import type { Scope } from "../../core/scope.ts";
import { spanWithin } from "./bounded_span.ts";
import { countOrgs } from "./groups.ts";
import {
  readSeries,
  readSplit,
  type SeriesAsk,
  type SeriesDeps,
  type SplitSeries,
} from "./read_series.ts";

export interface SlotShare {
  /** Null: all that are not named. */
  org: string | null;
  /** Mean number of slots over the span. */
  used: number;
  /** Of the slots that all used together, 0 to 1; null where that is not told. */
  share: number | null;
  entitledShare: number | null;
}

export interface Fairness {
  shares: SlotShare[];
  /** As it was read: more coarsely than asked where there are many organizations. */
  granularity: Granularity;
}

/** Organizations that are named. */
const ORGS_MAX = 12;

type Ask = Pick<SeriesAsk, "granularity" | "from" | "to" | "group">;
type Deps = SeriesDeps & { directory: Pick<Directory, "byId"> };

/** Null where there are too many organizations to be added up over this time. */
export async function readFairness(deps: Deps, scope: Scope, asked: Ask): Promise<Fairness | null> {
  // Whoever sees all of them is told of each: what a sum of all is kept for is not enough.
  const groups = asked.group.org === undefined ? countOrgs(deps) : 1;
  const ask = scope.isSuperuser ? spanWithin(asked, groups) : asked;
  if (ask === null) return null;
  return { shares: await readShares(deps, scope, ask), granularity: ask.granularity };
}

async function readShares(deps: Deps, scope: Scope, ask: Ask): Promise<SlotShare[]> {
  const split = { ...ask, by: "org", most: ORGS_MAX } as const;
  const active = await readSplit(deps, scope, { ...split, metric: "jobs.active" });
  const nameOf = (id: number) => deps.directory.byId(id)?.name ?? null;
  const own = active.series.map((one) => {
    return { id: one.id, org: nameOf(one.id), ...looked(one) };
  });
  const told = own.map(({ org, sum, looks }) => {
    return { org, used: looks === 0 ? 0 : sum / looks, share: null, entitledShare: null };
  });
  return scope.isSuperuser ? withShares(deps, scope, ask, { told, own }) : told;
}

async function withShares(
  deps: SeriesDeps,
  scope: Scope,
  ask: Ask,
  { told, own }: { told: SlotShare[]; own: { id: number; sum: number }[] },
): Promise<SlotShare[]> {
  // Whatever is narrowed to, a share is of all.
  const everybody = { ...ask, group: {} };
  const [all] = await readSeries(deps, scope, { ...everybody, metrics: ["jobs.active"] });
  const whole = all!.total().sum;
  // Without a bound, so that those who used much and those who were entitled to much are the same.
  const split = {
    ...ask,
    by: "org",
    metric: "slots.entitled",
    most: Number.MAX_SAFE_INTEGER,
  } as const;
  const { series } = await readSplit(deps, scope, split);
  const entitled = new Map(series.map((one) => [one.id, looked(one).sum]));
  const named = own.filter(({ id }) => id > 0).map(({ id }) => entitled.get(id) ?? 0);
  const rest = [...entitled.values()].reduce((sum, one) => sum + one, 0);
  const unnamed = rest - named.reduce((sum, one) => sum + one, 0);
  return told.map((one, at) => {
    const right = own[at]!.id > 0 ? (entitled.get(own[at]!.id) ?? 0) : unnamed;
    const of = (sum: number) => (whole === 0 ? 0 : sum / whole);
    return { ...one, share: of(own[at]!.sum), entitledShare: of(right) };
  });
}

/** Over all looks, those at which it had nothing too. */
function looked({ points }: SplitSeries): { sum: number; looks: number } {
  let [sum, looks] = [0, 0];
  for (const point of points) {
    sum += point.sum ?? 0;
    looks += point.count ?? 0;
  }
  return { sum, looks };
}
