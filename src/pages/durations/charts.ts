/** Charts of the page of durations. Pure. */
import { bucketWidth, perBucket, type TimeRange } from "../../core/metrics/time_range.ts";
import {
  type HeatChart,
  meanOf,
  mostOf,
  p50Of,
  p95Of,
  type TimeChart,
  timeChart,
} from "../../web/charts/chart.ts";
import type { DurationBand } from "../../web/metrics/duration_bands.ts";
import type { Series } from "../../web/metrics/read_series.ts";

const EMPTY = "No attempt succeeded in this time. Take a longer range, or submit a job.";

export function trendChart(range: TimeRange, runs: Series, opens: string): TimeChart {
  return timeChart(
    {
      id: "trend",
      title: `Run time ${perBucket(range)}`,
      sentence:
        "How long attempts ran that succeeded then, by the worker's own clock. Half were below the p50 and 95 % below " +
        "the p95; both are right within 1 %. A click opens the jobs.",
      unit: "milliseconds",
      empty: EMPTY,
      opens,
    },
    range,
    [
      { name: "Mean", series: runs, pick: meanOf, style: "area" },
      { name: "p50", series: runs, pick: p50Of, tone: "good" },
      { name: "p95", series: runs, pick: p95Of, tone: "second" },
      { name: "Longest", series: runs, pick: mostOf, tone: "muted" },
    ],
  );
}

export function bandsChart(
  range: TimeRange,
  bands: readonly DurationBand[],
  opens: string,
): HeatChart {
  const points = bands[0]?.points ?? [];
  const running = points.findIndex((point) => point.isRunning);
  return {
    kind: "heat",
    id: "bands",
    title: `Run times by length ${perBucket(range)}`,
    sentence:
      "How many attempts succeeded, by how long they ran: the stronger the colour, the more. A click opens the jobs of that time.",
    unit: "count",
    empty: EMPTY,
    start: points[0]?.bucket ?? range.from,
    step: bucketWidth(range),
    running: running < 0 ? null : running,
    bands: bands.map(({ band }) => band),
    values: bands.map((one) => one.points.map((point) => point.count)),
    opens,
  };
}

export interface Waits {
  dependencies: Series;
  queue: Series;
  start: Series;
  runs: Series;
}

export function splitChart(
  range: TimeRange,
  { dependencies, queue, start, runs }: Waits,
  opens: string,
): TimeChart {
  const bar = { pick: meanOf, style: "bar", stack: "life" } as const;
  return timeChart(
    {
      id: "split",
      title: `Where time goes ${perBucket(range)}`,
      sentence:
        "Means on top of each other: the wait for dependencies of jobs that became ready, the wait in the queue of attempts " +
        "that were dispatched, the start of those that began, the run of those that succeeded, each at its own end.",
      unit: "milliseconds",
      empty: EMPTY,
      opens,
    },
    range,
    [
      { ...bar, name: "Dependencies", series: dependencies, tone: "third" },
      { ...bar, name: "In line", series: queue, tone: "second" },
      { ...bar, name: "Starting", series: start, tone: "muted" },
      { ...bar, name: "Running", series: runs, tone: "plain" },
    ],
  );
}
