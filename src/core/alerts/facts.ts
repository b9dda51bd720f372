/**
 * What alert rules are decided from: what is known of one job name, as of one moment. Pure; times are epoch
 * milliseconds. Null is "not known", which is neither 0 nor good.
 */
import { EMPTY, type Histogram, mergeHistograms, percentile } from "../metrics/histogram.ts";

/** The runs that ended in one minute: an attempt is a run. */
export interface MinuteOfRuns {
  at: number;
  succeeded: number;
  failed: number;
  itemsSuccess: number;
  itemsFailed: number;
  /** Milliseconds, of runs that succeeded and of those that failed. */
  durations: Histogram;
}

export interface JobFacts {
  /** Everything that ended before this moment is in: the end of every window. */
  until: number;
  /** Minutes in which something ended, as far back as `spanMs` asks; in any order. */
  minutes: readonly MinuteOfRuns[];
  /** Between two runs: from a schedule, or said by somebody. */
  expectedMs: number | null;
  /** Nothing is due: all of its schedules are paused. */
  isPaused: boolean;
  /** Between two runs, as it was lately: says only how far back a window reaches. */
  observedMs: number | null;
  lastSuccessAt: number | null;
  lastRunAt: number | null;
  /** Since when a success could have been expected: its first run, its schedule made or resumed. */
  awaitedSince: number | null;
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

/** As long as the rule says, or as several runs take: an hourly job has none in most ten minutes. */
export function windowOf(facts: JobFacts, leastMs: number): number {
  const pace = facts.expectedMs ?? facts.observedMs ?? 0;
  return Math.min(WINDOW_MAX_MS, Math.max(leastMs, RUNS_A_WINDOW * pace));
}

/** Whole minutes: the one in which the window begins counts. */
export function runsOver({ minutes, until }: JobFacts, windowMs: number): Runs {
  const from = Math.floor((until - windowMs) / 60_000) * 60_000;
  const within = minutes.filter(({ at }) => at >= from && at < until);
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
