/**
 * What alert rules are decided from: what is known of one job name, as of one moment. Pure; times are epoch
 * milliseconds. Null is "not known", which is neither 0 nor good.
 */
import { EMPTY, type Histogram, mergeHistograms, percentile } from "../metrics/histogram.ts";

/** The runs that ended in one minute, or of a long window in one hour: an attempt is a run. */
export interface MinuteOfRuns {
  at: number;
  /** A minute where nothing is said. */
  lengthMs?: number;
  succeeded: number;
  failed: number;
  itemsSuccess: number;
  itemsFailed: number;
  /** Milliseconds, of runs that succeeded and of those that failed. */
  durations: Histogram;
}

/** Due times that are known after the wait for a success began: as many as a rule may wait for. */
export const DUES_MAX = 24;

/** When a job name is to run. */
export type Expected =
  /** From its schedules, or said by somebody. `since`: the wait for a success began. */
  | {
      kind: "known";
      intervalMs: number | null;
      since: number;
      dues: readonly number[];
      /** Where it was said with the interval; else the rule's holds. */
      graceMs?: number | null;
    }
  /** All of its schedules are paused. */
  | { kind: "paused" }
  | { kind: "unknown" };

export interface JobFacts {
  /** Everything that ended before this moment is in: the end of every window. */
  until: number;
  /** Minutes in which something ended, as far back as `spanMs` asks; in any order. */
  minutes: readonly MinuteOfRuns[];
  expected: Expected;
  /** Between two runs, as it was lately: says only how far back a window reaches. */
  observedMs: number | null;
  lastSuccessAt: number | null;
  lastRunAt: number | null;
  /** As far as it is known. */
  firstRunAt: number | null;
  /** Up to here these three are known: of Signalbox's own tasks they do not come from the rollups. */
  lastRunsUntil: number;
  /** Jobs of the name that are ready and wait for a slot. */
  queueNow: number | null;
  queueBefore: number | null;
}

export interface Runs {
  windowMs: number;
  succeeded: number;
  failed: number;
  runs: number;
  itemsSuccess: number;
  itemsFailed: number;
  p95Ms: number | null;
}

/** Runs that fit into a window where they come as expected: a late one must not empty it. */
export const RUNS_A_WINDOW = 6;
/** No window is longer, whatever the interval: what lies farther back says little of now. */
export const WINDOW_MAX_MS = 7 * 86_400_000;

/**
 * As long as the rule says, or where runs are rare as far back as the last several of them: an hourly job has none
 * in most ten minutes. No farther than several runs should take, so that old ones say nothing of now.
 */
export function windowOf(facts: JobFacts, leastMs: number): number {
  const told = facts.expected.kind === "known" ? facts.expected.intervalMs : null;
  const pace = told ?? facts.observedMs ?? 0;
  const most = Math.min(WINDOW_MAX_MS, Math.max(leastMs, RUNS_A_WINDOW * pace));
  let runs = 0;
  for (const minute of facts.minutes.toSorted((a, b) => b.at - a.at)) {
    if (minute.at >= facts.until) continue;
    runs += minute.succeeded + minute.failed;
    if (runs >= RUNS_A_WINDOW) return Math.min(most, Math.max(leastMs, facts.until - minute.at));
  }
  return most;
}

/** Whole minutes, or hours: the one in which the window begins counts. */
export function runsOver({ minutes, until }: JobFacts, windowMs: number): Runs {
  const from = Math.floor((until - windowMs) / 60_000) * 60_000;
  const within = minutes.filter(({ at, lengthMs = 60_000 }) => at + lengthMs > from && at < until);
  const total = (of: (minute: MinuteOfRuns) => number) =>
    within.reduce((sum, minute) => sum + of(minute), 0);
  const succeeded = total((minute) => minute.succeeded);
  const failed = total((minute) => minute.failed);
  const all = within.length === 0 ? EMPTY : mergeHistograms(within.map((one) => one.durations));
  return {
    ...{ windowMs, succeeded, failed, runs: succeeded + failed },
    itemsSuccess: total((minute) => minute.itemsSuccess),
    itemsFailed: total((minute) => minute.itemsFailed),
    p95Ms: percentile(all, 0.95, { least: null, most: null }),
  };
}
