/** Charts of the scheduler's page. Pure. */
import type { Bar } from "../../core/metrics/bars.ts";
import { perBucket, type TimeRange } from "../../core/metrics/time_range.ts";
import { type BarChart, meanOf, p95Of, type TimeChart, timeChart } from "../../web/charts/chart.ts";
import { count } from "../../web/format.ts";
import type { Fairness, SlotShare } from "../../web/metrics/fairness.ts";
import type { Series, Span } from "../../web/metrics/read_series.ts";

export function waitChart(
  range: TimeRange,
  { queue, dependencies }: { queue: Series; dependencies: Series },
  opens: string,
): TimeChart {
  return timeChart(
    {
      id: "waits",
      title: `Waits ${perBucket(range)}`,
      sentence:
        "In the queue: from ready to dispatched, of attempts that were dispatched then; 95 % were below the p95, which " +
        "is right within 1 %. For dependencies, a mean: from eligible to ready, of jobs that became ready then. A click " +
        "opens the jobs that ended in a bucket.",
      unit: "milliseconds",
      empty: "Nothing was dispatched in this time. Take a longer range, or submit a job.",
      opens,
    },
    range,
    [
      { name: "Queue, mean", series: queue, pick: meanOf, style: "area" },
      { name: "Queue, p95", series: queue, pick: p95Of, tone: "second" },
      { name: "Dependencies", series: dependencies, pick: meanOf, tone: "third" },
    ],
  );
}

export function scoreChart(bars: readonly Bar[]): BarChart {
  return {
    kind: "bars",
    id: "scores",
    title: "Scores",
    sentence:
      "How many attempts were dispatched with a score of so many points, from the first number up to, and not " +
      "including, the second; of attempts that ended in this time.",
    unit: "count",
    empty: "No attempt with a score ended in this time. Take a longer range, or submit a job.",
    labels: bars.map(barLabel),
    lines: [{ name: "Attempts", values: bars.map((bar) => bar.count), tone: "plain" }],
  };
}

/** An outer bar may reach further than the others are wide. */
function barLabel({ lo, hi }: Bar, at: number, bars: readonly Bar[]): string {
  const number = (n: number) => `${n < 0 ? "−" : ""}${count(Math.abs(n))}`;
  const width = Math.min(...bars.map((bar) => bar.hi - bar.lo));
  if (at === 0 && hi - lo > width) return `below ${number(hi)}`;
  if (at === bars.length - 1 && hi - lo > width) return `${number(lo)} and more`;
  return width === 1 ? number(lo) : `${number(lo)} to ${number(hi)}`;
}

const EMPTY = "No job held a slot in this time. Take a longer range, or submit a job.";
const TOO_MANY =
  "There are too many organizations to add them up over this time. Take a shorter one.";

/** For those who are told of everybody; null: of too many. */
export function fairnessChart(range: Span, fairness: Fairness | null): BarChart {
  const { shares = [], granularity = range.granularity } = fairness ?? {};
  const whole =
    granularity === range.granularity ? "" : ` Of whole ${granularity}s, as they are many.`;
  const percent = (share: number | null) => (share === null ? null : share * 100);
  return {
    kind: "bars",
    id: "fairness",
    title: "Fairness",
    sentence:
      "Share of all used slots that each organization's jobs held, and the share to which it was entitled: an equal " +
      "one among the organizations that had work, at each moment." +
      whole,
    unit: "percent",
    empty: fairness === null ? TOO_MANY : EMPTY,
    labels: shares.map(({ org }) => org ?? "All others"),
    lines: [
      { name: "Held", values: shares.map((one) => percent(one.share)), tone: "plain" },
      { name: "Entitled", values: shares.map((one) => percent(one.entitledShare)), tone: "second" },
    ],
    isLying: true,
  };
}

/** For everybody else. */
export function slotsChart(shares: readonly SlotShare[]): BarChart {
  return {
    kind: "bars",
    id: "fairness",
    title: "Slots held",
    sentence:
      "How many slots the jobs of your organizations held, as a mean over this time. Shares and entitlements are " +
      "for superusers: from yours those of others could be told.",
    unit: "count",
    empty: EMPTY,
    labels: shares.map(({ org }) => org ?? "All others"),
    lines: [{ name: "Slots", values: shares.map((one) => one.used), tone: "plain" }],
    isLying: true,
  };
}
