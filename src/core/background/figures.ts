/** What is told of a job's name over a window of time, out of its recorded runs. Pure. */
import { type Histogram, percentile } from "../metrics/histogram.ts";
import { ITEMS_MIN, type Judgement, judge, judgeQueue, RUNS_MIN } from "./thresholds.ts";

/** What the window's rollups add up to. Every attempt that ended well or failed is a run. */
export interface RunTotals {
  succeeded: number;
  failed: number;
  /** Milliseconds, of all runs whose time is known. */
  durations: { histogram: Histogram; least: number | null; most: number | null };
  items: Items;
}

export interface Items {
  success: number;
  failed: number;
  skipped: number;
}

/** What holds now, whatever the window. Null: not known. */
export interface NameNow {
  queue: number | null;
  /** 10 minutes ago. */
  queueBefore: number | null;
}

export interface JobFigures {
  runs: number;
  succeeded: number;
  failed: number;
  /** 0 to 1; null where nothing ran. */
  successRate: number | null;
  failureRate: number | null;
  /** By the minute over the part of the window that is known; null where none is. */
  successesPerMinute: number | null;
  failuresPerMinute: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  items: Items;
  itemFailureRate: number | null;
  queue: number | null;
  queueBefore: number | null;
  judged: Record<
    "successRate" | "failureRate" | "failuresPerMinute" | "p95" | "itemFailureRate" | "queue",
    Judgement
  >;
}

/** `knownMs`: how much of the window the rollups tell of. */
export function figuresOf(totals: RunTotals, knownMs: number, now: NameNow): JobFigures {
  const { succeeded, failed, items } = totals;
  const runs = succeeded + failed;
  const { histogram, least, most } = totals.durations;
  const counted = items.success + items.failed;
  const successRate = share(succeeded, runs);
  const failureRate = share(failed, runs);
  const itemFailureRate = share(items.failed, counted);
  const minutes = knownMs / 60_000;
  const failuresPerMinute = minutes > 0 ? failed / minutes : null;
  const p95Ms = percentile(histogram, 0.95, { least, most });
  return {
    ...{ runs, succeeded, failed, successRate, failureRate, failuresPerMinute },
    successesPerMinute: minutes > 0 ? succeeded / minutes : null,
    p50Ms: percentile(histogram, 0.5, { least, most }),
    ...{ p95Ms, items, itemFailureRate },
    ...{ queue: now.queue, queueBefore: now.queueBefore },
    judged: {
      successRate: judge("success_rate", successRate, runs >= RUNS_MIN),
      failureRate: judge("failure_rate", failureRate, runs >= RUNS_MIN),
      // Without a run there is nothing to be good.
      failuresPerMinute: judge("failures_per_minute", runs === 0 ? null : failuresPerMinute),
      p95: judge("duration_p95_seconds", p95Ms === null ? null : p95Ms / 1_000),
      itemFailureRate: judge("item_failure_rate", itemFailureRate, counted >= ITEMS_MIN),
      queue: judgeQueue(now.queue, now.queueBefore),
    },
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
