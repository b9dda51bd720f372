/**
 * Runs and items over a few windows, recorded, so that the rules that ask for them compute none of it twice; and the
 * choice of the window that a rule goes by.
 */
import { RUNS_MIN, THRESHOLDS } from "../../src/core/background/thresholds.ts";

export const BY = "by (organization, job_name)";
export const ON = "on (organization, job_name)";
/** All of its schedules are paused: nothing is due, and what ran before tells nothing of now. */
export const PAUSED = `max ${BY} (job_expected_interval_seconds) == Inf`;

const { failure_rate: RATE } = THRESHOLDS;
/** Seconds. Six runs of a six-hourly job are in the last. */
const LADDER = [600, 1_800, 3_600, 21_600, 129_600] as const;
const WINDOWS = [...new Set([RATE.alert.critical.windowSeconds, ...LADDER])].sort((a, b) => a - b);
const LONGEST = Math.max(...WINDOWS);

const increase = (series: string, window: number, by = BY) =>
  `sum ${by} (increase(${series}[${window}s]))`;
const BUCKETS = "job_execution_duration_seconds_bucket";
const ITEMS = "job_items_processed_total";

/** What is recorded of each window. */
const RECORDS = {
  runs: (window: number) => increase("job_execution_total", window),
  failed: (window: number) => increase('job_execution_total{status="failed"}', window),
  items: (window: number) => increase(`${ITEMS}{status=~"success|failed"}`, window),
  itemsFailed: (window: number) => increase(`${ITEMS}{status="failed"}`, window),
  p95: (window: number) =>
    `histogram_quantile(0.95, ${increase(BUCKETS, window, "by (organization, job_name, le)")})`,
} as const;
type Recorded = keyof typeof RECORDS;
const ALL = Object.keys(RECORDS) as Recorded[];
/** Of windows that only failures are looked at over. */
const SHORT: readonly Recorded[] = ["runs", "failed"];

const WORDS: Record<Recorded, string> = {
  ...{ runs: "runs", failed: "runs_failed", p95: "run_seconds_p95" },
  ...{ items: "items", itemsFailed: "items_failed" },
};
const nameOf = (what: Recorded, window: number) => `signalbox:${WORDS[what]}:over_${window}s`;
/** Runs a second: as told, else as they were. */
const PACE = "signalbox:runs:pace";

export const RECORDED: readonly { record: string; expr: string }[] = [
  ...WINDOWS.flatMap((window) =>
    (window < LADDER[0] ? SHORT : ALL).map((what) => ({
      record: nameOf(what, window),
      expr: RECORDS[what](window),
    })),
  ),
  {
    record: PACE,
    expr: `1 / max ${BY} (job_expected_interval_seconds) or ${nameOf("runs", LONGEST)} / ${LONGEST}`,
  },
];

interface Sample {
  of: "runs" | "items";
  least: number;
}

/**
 * Over the rule's window, or the shortest of the longer ones that holds enough. A window counts only where the one
 * before is too short for the job's pace: one that ran often and stopped is not judged by what it did the day before.
 */
export function ladder(
  shortest: number,
  holds: (recorded: Record<Recorded, string>) => string,
  { of, least }: Sample,
): string {
  const windows = WINDOWS.filter((window) => window >= shortest);
  // Increases are estimates: a whole number may come out a little smaller.
  const enough = (window: number) => `${nameOf(of, window)} > ${least - 0.5}`;
  const over = (at: number): string => {
    const window = windows[at]!;
    const own = `(${holds(recordedOf(window))}) and ${ON} (${enough(window)})`;
    const before = windows[at - 1];
    const fits =
      before === undefined ? own : `${own} unless ${ON} (${PACE} * ${before} > ${RUNS_MIN})`;
    if (at === windows.length - 1) return fits;
    return `(${fits}) or ((${over(at + 1)}) unless ${ON} (${enough(window)}))`;
  };
  return `(${over(0)}) unless ${ON} (${PAUSED})`;
}

function recordedOf(window: number): Record<Recorded, string> {
  const names = ALL.map((what) => [what, nameOf(what, window)]);
  return Object.fromEntries(names) as Record<Recorded, string>;
}
