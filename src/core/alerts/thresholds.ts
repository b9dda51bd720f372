/** The limits of alert rules: what each means, and what may be written. Their defaults stand with the rules. */
import { DUES_MAX } from "./facts.ts";

export type LimitKey =
  | "failure_rate"
  | "runs_min"
  | "window_seconds"
  | "intervals"
  | "grace_seconds"
  | "absolute_seconds"
  | "p95_seconds"
  | "queue_size"
  | "growth"
  | "items_min";

export type Limits = Readonly<Partial<Record<LimitKey, number>>>;

export interface LimitMeaning {
  unit: "share" | "seconds" | "runs" | "jobs" | "items" | "times" | "intervals";
  least: number;
  most: number;
  whole: boolean;
  /** Before its field. */
  label: string;
  help: string;
}

const seconds = (label: string, help: string, least = 0): LimitMeaning => ({
  ...{ unit: "seconds", least, most: 7 * 86_400, whole: true, label, help },
});

export const LIMITS: Readonly<Record<LimitKey, LimitMeaning>> = {
  failure_rate: {
    ...{ unit: "share", least: 0, most: 1, whole: false, label: "Share that failed" },
    help: "Fires above this share, 0.05 being 5 %.",
  },
  runs_min: {
    ...{ unit: "runs", least: 1, most: 10_000, whole: true, label: "Runs at least" },
    help: "With fewer runs in the window nothing is said.",
  },
  window_seconds: seconds("Window", "The window; longer by itself where runs are rare.", 60),
  intervals: {
    ...{ unit: "intervals", least: 1, most: DUES_MAX, whole: true, label: "Due times missed" },
    help: "Overdue after this many due times without a success, and the grace.",
  },
  grace_seconds: seconds("Grace", "Added to the intervals: time for the run itself."),
  absolute_seconds: seconds(
    "Time without a success",
    "Where no interval is known: how long without a success.",
    60,
  ),
  p95_seconds: seconds("Run time, p95", "Fires where one run in twenty takes longer."),
  queue_size: {
    ...{ unit: "jobs", least: 0, most: 1e9, whole: true, label: "Jobs that wait" },
    help: "Fires above this many jobs that wait for a slot.",
  },
  growth: {
    ...{ unit: "times", least: 1, most: 1_000, whole: false, label: "Growth" },
    help: "Fires where it is more than so many times what it was 10 minutes ago.",
  },
  items_min: {
    ...{ unit: "items", least: 1, most: 1e9, whole: true, label: "Items at least" },
    help: "With fewer items in the window nothing is said.",
  },
};

/** Null where it may be written; else a sentence that says what may. */
export function limitProblem(key: LimitKey, value: number): string | null {
  const { least, most, whole } = LIMITS[key];
  const fits = value >= least && value <= most && (!whole || Number.isInteger(value));
  if (fits) return null;
  return `must be a ${whole ? "whole number" : "number"} from ${least} to ${most}`;
}
