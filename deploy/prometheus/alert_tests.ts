/**
 * What the rules have to do on series that are made up: `promtool test rules deploy/prometheus/alerts_test.yml`. Each
 * look lists every alert that fires then, so that it also says which do not.
 */
import { stringify } from "yaml";
import type { RuleName } from "../../src/core/alerts/rules.ts";
import { type Minute, type Series, seriesOf } from "./simulated_runs.ts";

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
    [[29], [60, "BackgroundJobFailing", "BackgroundJobCriticalFailureRate"], [120]],
  ),
  scenario(
    "an hourly job fails every third time for a day: seen over the long window",
    3 * DAY,
    (minute) => {
      if (minute % 60 !== 30) return {};
      return minute < DAY && minute % 180 === 30 ? { failed: 1 } : { succeeded: 1 };
    },
    [[10], [DAY - 60, "BackgroundJobFailing"], [3 * DAY]],
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

const LATE: readonly Scenario[] = [
  scenario(
    "a job for every 5 minutes stops for two days after one, and succeeds again",
    4 * DAY,
    (minute) => (minute % 5 === 0 && !within(minute, DAY, 3 * DAY) ? { succeeded: 1 } : {}),
    [
      [DAY + 60],
      [DAY + 150, "BackgroundJobNotRunning"],
      [2 * DAY + 30, "BackgroundJobNotRunning", "BackgroundJobCriticallyStale"],
      [3 * DAY + 30],
    ],
  ),
  scenario(
    "a job that never succeeded has no time of success, and is overdue all the same",
    60,
    (minute) => (minute > 0 && minute <= 20 && minute % 10 === 0 ? { failed: 1 } : {}),
    [[10], [25, "BackgroundJobNotRunning", "BackgroundJobCriticallyStale"]],
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
  const every = (minutes: number, offset: number, seconds: number) => (minute: number) =>
    minute % minutes === offset
      ? { succeeded: 1, seconds, items: { success: 50, failed: 1 }, queue: 1 }
      : { queue: 0 };
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

export const SCENARIOS: readonly Scenario[] = [...[FAILURES, LATE, SLOW, QUEUES].flat(), healthy()];

/** The path below `deploy/`, with its text. */
export function alertTestFiles(): Record<string, string> {
  const head = "# Made from deploy/prometheus/alert_tests.ts: `bun run deploy:generate`.\n";
  const body = {
    rule_files: ["alerts.yml"],
    evaluation_interval: "5m",
    tests: SCENARIOS.map(testOf),
  };
  return { "prometheus/alerts_test.yml": head + stringify(body, { lineWidth: 0 }) };
}
