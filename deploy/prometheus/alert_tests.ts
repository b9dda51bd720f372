/**
 * What the rules have to do on series that are made up: `promtool test rules deploy/prometheus/alerts_test.yml`. Each
 * look lists every alert that fires then, so that it also says which do not.
 */
import { stringify } from "yaml";
import type { RuleName } from "../../src/core/alerts/rules.ts";
import { type Minute, PAUSED, type Series, seriesOf } from "./simulated_runs.ts";

interface Scenario {
  name: string;
  minutes: number;
  series: Series[];
  looks: { at: number; firing: readonly RuleName[] }[];
}

const JOB = "sync";
const DAY = 24 * 60;
const within = (minute: number, from: number, to: number) => minute >= from && minute < to;

function scenario(
  name: string,
  minutes: number,
  of: (minute: number) => Minute,
  looks: readonly (readonly [at: number, ...firing: RuleName[]])[],
): Scenario {
  const series = seriesOf(JOB, minutes, of);
  return { name, minutes, series, looks: looks.map(([at, ...firing]) => ({ at, firing })) };
}

const FAILING = ["BackgroundJobFailing", "BackgroundJobCriticalFailureRate"] as const;
const STALE = ["BackgroundJobNotRunning", "BackgroundJobCriticallyStale"] as const;
const trouble = (minute: number) => within(minute, 30, 90);

const FAILURES: readonly Scenario[] = [
  scenario(
    "one run in five fails for an hour: failing, and no more than that",
    180,
    (minute) => (trouble(minute) && minute % 5 === 0 ? { failed: 1 } : { succeeded: 1 }),
    [[29], [60, "BackgroundJobFailing"], [120]],
  ),
  scenario(
    "all runs fail for an hour: both alerts of failures",
    180,
    (minute) => (trouble(minute) ? { failed: 1 } : { succeeded: 1 }),
    [[29], [60, ...FAILING], [120]],
  ),
  scenario(
    "two runs, and one failed: too few to judge by",
    60,
    (minute) => (minute === 10 ? { failed: 1 } : minute === 5 ? { succeeded: 1 } : {}),
    [[30], [60]],
  ),
  scenario(
    "one item in four fails for an hour",
    180,
    (minute) => ({
      succeeded: 1,
      items: trouble(minute) ? { success: 15, failed: 5 } : { success: 20, failed: 0 },
    }),
    [[29], [70, "BackgroundJobHighItemFailureRate"], [120]],
  ),
];

/** What a job does that is to run every so many minutes, once it has run well for a day. */
const broken = (every: number, until: number) => (minute: number) => {
  if (minute % every !== 0) return {};
  return within(minute, DAY, until) ? { failed: 1 } : { succeeded: 1 };
};

const RARE: readonly Scenario[] = [
  scenario(
    "a job for every 5 minutes fails always: seen within half an hour, and forgotten as soon",
    DAY + 180,
    broken(5, DAY + 100),
    [
      [DAY],
      [DAY + 30, ...FAILING],
      [DAY + 95, ...FAILING],
      [DAY + 125, "BackgroundJobFailing"],
      [DAY + 145],
    ],
  ),
  scenario(
    "a job for every 15 minutes fails always: seen within the hour, and forgotten in as much",
    DAY + 240,
    broken(15, DAY + 115),
    [[DAY], [DAY + 60, ...FAILING], [DAY + 150, "BackgroundJobFailing"], [DAY + 200]],
  ),
  scenario(
    "a job for every minute fails for two hours and is paused: that is over, and does not come back",
    DAY + 2_400,
    (minute) =>
      minute >= DAY + 120 ? { every: PAUSED } : { ...broken(1, DAY + 120)(minute), every: 60 },
    [
      [DAY + 100, ...FAILING, ...STALE],
      ...[140, 180, 300, 600, 1_200, 2_200, 2_400].map((later) => [DAY + later] as const),
    ],
  ),
  scenario(
    "a job of which nothing says how often fails all the time and stops: what is left is that it has not succeeded",
    DAY + 2_400,
    (minute) => (minute >= DAY + 120 ? {} : broken(1, DAY + 120)(minute)),
    [
      [DAY + 100, ...FAILING],
      ...[300, 600, 1_200].map((later) => [DAY + later, "BackgroundJobNotRunning"] as const),
      ...[2_200, 2_400].map((later) => [DAY + later, ...STALE] as const),
    ],
  ),
];

const LATE: readonly Scenario[] = [
  scenario(
    "a job that is to run every 5 minutes stops for two hours, and succeeds again",
    DAY + 180,
    (minute) => ({
      ...(minute % 5 === 0 && !within(minute, DAY, DAY + 120) ? { succeeded: 1 } : {}),
      every: 300,
    }),
    [[DAY + 15], [DAY + 30, "BackgroundJobNotRunning"], [DAY + 45, ...STALE], [DAY + 150]],
  ),
  scenario(
    "a job that is to run every 5 minutes has never succeeded since that was said",
    120,
    (minute) => ({ ...(minute % 5 === 0 && minute > 0 ? { failed: 1 } : {}), every: 300 }),
    [[10], [45, ...FAILING, ...STALE]],
  ),
  scenario(
    "a job is paused for a day, and resumed: it is waited for from then on",
    2 * DAY + 180,
    (minute) => {
      if (within(minute, DAY, 2 * DAY)) return { every: PAUSED };
      return { every: 3_600, ...(minute % 60 === 30 ? { succeeded: 1 } : {}) };
    },
    [[DAY + 300], [2 * DAY - 5], [2 * DAY + 15], [2 * DAY + 180]],
  ),
  scenario(
    "a job on demand fails, and nobody has seen it succeed since",
    DAY + 180,
    (minute) =>
      minute < 30 || minute === DAY + 90 ? { succeeded: 1 } : minute === 60 ? { failed: 1 } : {},
    [[50], [140], [180, "BackgroundJobNotRunning"], [DAY + 60, ...STALE], [DAY + 120]],
  ),
];

/** Over days, where a look every half hour is enough. */
const DAYS: readonly Scenario[] = [
  scenario(
    "an hourly job fails every third time for a day: seen over the long window",
    3 * DAY,
    (minute) => {
      if (minute % 60 !== 30) return {};
      return minute < DAY && minute % 180 === 30 ? { failed: 1 } : { succeeded: 1 };
    },
    [[30], [DAY - 60, "BackgroundJobFailing"], [3 * DAY]],
  ),
  scenario(
    "a job on demand runs of a morning, and nothing says that it should again",
    3 * DAY,
    (minute) => (minute < 60 ? { succeeded: 1 } : {}),
    [[60], [5 * 60], [13 * 60], [DAY + 120], [3 * DAY]],
  ),
  scenario(
    "a new job fails twice and has never succeeded: late after 2 hours, stale after 24, and forgotten within 8 days",
    8 * DAY,
    (minute) => (minute === 10 || minute === 20 ? { failed: 1 } : {}),
    [
      [30],
      [120],
      [180, "BackgroundJobNotRunning"],
      [DAY, "BackgroundJobNotRunning"],
      [DAY + 60, ...STALE],
      [8 * DAY],
    ],
  ),
];

const SLOW: readonly Scenario[] = [
  scenario(
    "runs take 7 minutes for an hour: long, not far too long",
    180,
    (minute) => ({ succeeded: 1, seconds: trouble(minute) ? 420 : 10 }),
    [[29], [70, "BackgroundJobHighDuration"], [120]],
  ),
  scenario(
    "runs take 15 minutes for an hour: beyond 600 s, which no bucket ends at",
    180,
    (minute) => ({ succeeded: 1, seconds: trouble(minute) ? 900 : 10 }),
    [[29], [70, "BackgroundJobHighDuration", "BackgroundJobCriticalDuration"], [120]],
  ),
];

const QUEUES: readonly Scenario[] = [
  scenario(
    "a queue grows for an hour, stays at 500, and is worked off",
    240,
    (minute) => ({
      succeeded: 1,
      queue:
        minute < 30
          ? 10
          : minute < 90
            ? Math.round(10 * 1.08 ** (minute - 30))
            : minute < 150
              ? 500
              : 0,
    }),
    [[29], [85, "BackgroundJobQueueGrowing"], [130], [240]],
  ),
  scenario(
    "more than a thousand wait for half an hour, as many all the time",
    120,
    (minute) => ({ succeeded: 1, queue: within(minute, 30, 60) ? 1_200 : 200 }),
    [[29], [50, "BackgroundJobCriticalQueueSize"], [90]],
  ),
];

/** Jobs as the fleet has them that the rules take after, with some items that fail. */
function healthy(): Scenario {
  const every = (minutes: number, offset: number, seconds: number) => (minute: number) => ({
    every: minutes * 60,
    ...(minute % minutes === offset
      ? { succeeded: 1, seconds, items: { success: 50, failed: 1 }, queue: 1 }
      : { queue: 0 }),
  });
  const minutes = DAY;
  return {
    name: "a healthy fleet, hourly and six-hourly jobs among it, for a day: nothing ever fires",
    minutes,
    series: [
      ...seriesOf("hot_scores", minutes, every(5, 0, 20)),
      ...seriesOf("trending_scores", minutes, every(60, 7, 120)),
      ...seriesOf("reputation", minutes, every(360, 11, 250)),
    ],
    looks: [],
  };
}

const FIRING = 'sum by (alertname) (ALERTS{alertstate="firing"})';

function testOf({ name, minutes, series, looks }: Scenario): object {
  const never = {
    expr: `count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[${minutes}m]))`,
    eval_time: `${minutes}m`,
    exp_samples: [],
  };
  const seen = looks.map(({ at, firing }) => ({
    expr: FIRING,
    eval_time: `${at}m`,
    exp_samples: firing.map((rule) => ({ labels: `{alertname="${rule}"}`, value: 1 })),
  }));
  return {
    name,
    interval: "1m",
    input_series: series,
    promql_expr_test: looks.length === 0 ? [never] : seen,
  };
}

const BY_HOURS: readonly Scenario[] = [...[FAILURES, RARE, LATE, SLOW, QUEUES].flat(), healthy()];
export const SCENARIOS: readonly Scenario[] = [...BY_HOURS, ...DAYS];

function fileOf(scenarios: readonly Scenario[], every: string): string {
  const head = "# Made from deploy/prometheus/alert_tests.ts: `bun run deploy:generate`.\n";
  const tests = scenarios.map(testOf);
  const body = { rule_files: ["alerts.yml"], evaluation_interval: every, tests };
  return head + stringify(body, { lineWidth: 0 });
}

/** The paths below `deploy/`, with their text. */
export function alertTestFiles(): Record<string, string> {
  return {
    "prometheus/alerts_test.yml": fileOf(BY_HOURS, "5m"),
    "prometheus/alerts_days_test.yml": fileOf(DAYS, "30m"),
  };
}
