/**
 * From which figure on a job is in trouble: one table for panels, alerts and help texts. The numbers are
 * those of the seed's panels and alerts; where two versions of it disagree, the one that makes sense.
 */

/** `unknown`: there is no figure, or too few runs to judge by it. It is never drawn as good. */
export type Judgement = "good" | "warning" | "bad" | "unknown";

/** The conditions of an alert: a figure above the limit over a window, for so long. */
export interface AlertLimit {
  limit: number;
  windowSeconds: number;
  forSeconds: number;
}

export interface Threshold {
  label: string;
  /** How figures and limits are written. */
  unit: "ratio" | "per_minute" | "jobs" | "seconds";
  /** Whether a greater figure is worse, or a smaller one. */
  worse: "more" | "less";
  /** The colour changes here: at this figure already where more is worse, below it where less is. */
  warning: number;
  bad: number;
  alert: { warning?: AlertLimit; critical?: AlertLimit };
  /** One sentence, for people. */
  help: string;
}

const MINUTE = 60;

export const THRESHOLDS = {
  success_rate: {
    ...{ label: "Success rate", unit: "ratio", worse: "less", warning: 0.9, bad: 0.5, alert: {} },
    help: "Runs that ended well, of all runs that ended well or failed in the time shown.",
  },
  failures_per_minute: {
    ...{ label: "Failures per minute", unit: "per_minute", worse: "more", warning: 0.1, bad: 1 },
    alert: {},
    help: "Runs that failed, by the minute, over the whole time shown.",
  },
  failure_rate: {
    ...{ label: "Failure rate", unit: "ratio", worse: "more", warning: 0.05, bad: 0.2 },
    alert: {
      warning: { limit: 0.05, windowSeconds: 10 * MINUTE, forSeconds: 5 * MINUTE },
      critical: { limit: 0.5, windowSeconds: 5 * MINUTE, forSeconds: 5 * MINUTE },
    },
    help: "Runs that failed, of all runs that ended well or failed in the time shown.",
  },
  item_failure_rate: {
    ...{ label: "Item failure rate", unit: "ratio", worse: "more", warning: 0.05, bad: 0.2 },
    alert: { warning: { limit: 0.2, windowSeconds: 10 * MINUTE, forSeconds: 15 * MINUTE } },
    help: "Items that failed, of all that were done or failed; those that were skipped do not count.",
  },
  duration_p95_seconds: {
    ...{ label: "p95 of run time", unit: "seconds", worse: "more", warning: 60, bad: 300 },
    alert: {
      warning: { limit: 300, windowSeconds: 10 * MINUTE, forSeconds: 15 * MINUTE },
      critical: { limit: 600, windowSeconds: 10 * MINUTE, forSeconds: 10 * MINUTE },
    },
    help: "95 % of the runs, those that failed too, took no longer than this; right within 1 %.",
  },
  queue_size: {
    ...{ label: "Queue size", unit: "jobs", worse: "more", warning: 100, bad: 1_000 },
    alert: {
      warning: { limit: 100, windowSeconds: 10 * MINUTE, forSeconds: 15 * MINUTE },
      critical: { limit: 1_000, windowSeconds: 0, forSeconds: 10 * MINUTE },
    },
    help: "Jobs that are ready and wait for a slot, of any queue.",
  },
} as const satisfies Record<string, Threshold>;
export type ThresholdName = keyof typeof THRESHOLDS;

/** A queue of more than the warning is growing where it is so many times what it was 10 minutes ago. */
export const QUEUE_GROWTH = 1.5;

/**
 * How old the last success may be. Where it is known how often a name is to run, that many of its
 * intervals and some grace; else the seed's plain times.
 */
export const STALENESS = {
  warningIntervals: 2,
  badIntervals: 6,
  /** Figures come with the rollups, a minute late. */
  graceSeconds: 120,
  warningSeconds: 120 * MINUTE,
  badSeconds: 360 * MINUTE,
  alert: {
    warning: { limit: 7_200, windowSeconds: 0, forSeconds: 10 * MINUTE },
    critical: { limit: 86_400, windowSeconds: 0, forSeconds: 5 * MINUTE },
  },
} as const;

/** With fewer runs in the time shown, a rate is told and not judged. */
export const RUNS_MIN = 3;
/** The same, of items. */
export const ITEMS_MIN = 10;

/** `enough` false: there are too few to judge by. */
export function judge(name: ThresholdName, figure: number | null, enough = true): Judgement {
  if (figure === null || !enough) return "unknown";
  const { worse, warning, bad }: Threshold = THRESHOLDS[name];
  if (worse === "more") return figure >= bad ? "bad" : figure >= warning ? "warning" : "good";
  return figure < bad ? "bad" : figure < warning ? "warning" : "good";
}

/**
 * A queue is bad by its size alone; a warning only where it grows too, for a queue that is worked off
 * is no trouble. `before` null: not known, which counts as growing.
 */
export function judgeQueue(now: number | null, before: number | null): Judgement {
  const bySize = judge("queue_size", now);
  if (bySize !== "warning") return bySize;
  return isGrowing(now!, before) ? "warning" : "good";
}

/** From nothing to something is growth; the ratio of the two would be none. */
export function isGrowing(now: number, before: number | null): boolean {
  if (before === null) return true;
  return before === 0 ? now > 0 : now / before > QUEUE_GROWTH;
}

/** The table in words, as panels and help pages print it. */
export function thresholdWords(name: ThresholdName): {
  good: string;
  warning: string;
  bad: string;
} {
  const { worse, unit, warning, bad }: Threshold = THRESHOLDS[name];
  const [first, second] = [written(unit, warning), written(unit, bad)];
  if (worse === "more") {
    return { good: `below ${first}`, warning: `from ${first}`, bad: `from ${second}` };
  }
  return { good: `from ${first}`, warning: `below ${first}`, bad: `below ${second}` };
}

function written(unit: Threshold["unit"], n: number): string {
  if (unit === "ratio") return `${Math.round(n * 1000) / 10} %`;
  if (unit === "seconds") return n < MINUTE ? `${n} s` : `${n / MINUTE} min`;
  return unit === "per_minute" ? `${n} a minute` : n.toLocaleString("en-US");
}
