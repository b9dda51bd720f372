/**
 * The alert rules for Prometheus, out of the definition that Signalbox itself evaluates (`src/core/alerts`). It
 * knows no schedules, so that "overdue" goes by how often a job succeeded within the last week, and it sees a job
 * that runs rarely over a longer window beside the short one.
 */
import { stringify } from "yaml";
import { ALERT_RULES, type Rule, type RuleName } from "../../src/core/alerts/rules.ts";
import type { Limits } from "../../src/core/alerts/thresholds.ts";

const BY = "by (organization, job_name)";
const ON = "on (organization, job_name)";
/** Six runs of a six-hourly job. */
const RARE = "36h";
const WEEK_SECONDS = 7 * 86_400;
const RUNS = "job_execution_total";
const ITEMS = "job_items_processed_total";
const SUCCESS = "job_last_success_timestamp_seconds";
const SIZE = `max ${BY} (job_queue_size)`;

const increase = (series: string, window: string) => `sum ${BY} (increase(${series}[${window}]))`;

/** Over the rule's window, or over the long one where the former holds too few. */
function overEither(window: string, of: (window: string) => string, enough: (w: string) => string) {
  const short = `(${of(window)}) and ${enough(window)}`;
  const long = `((${of(RARE)}) and ${enough(RARE)}) unless ${ON} (${enough(window)})`;
  return `(${short}) or (${long})`;
}

// Increases are estimates: a whole number may come out a little smaller.
const atLeast = (series: string, n: number) => (window: string) =>
  `(${increase(series, window)} > ${n - 0.5})`;

function failing({ failure_rate, window_seconds, runs_min }: Limits): string {
  const share = (window: string) =>
    `${increase(`${RUNS}{status="failed"}`, window)} / ${increase(RUNS, window)} > ${failure_rate}`;
  return overEither(`${window_seconds}s`, share, atLeast(RUNS, runs_min!));
}

function failingItems({ failure_rate, window_seconds, items_min }: Limits): string {
  const counted = `${ITEMS}{status=~"success|failed"}`;
  const share = (window: string) =>
    `${increase(`${ITEMS}{status="failed"}`, window)} / ${increase(counted, window)} > ${failure_rate}`;
  return overEither(`${window_seconds}s`, share, atLeast(counted, items_min!));
}

function slow({ p95_seconds, window_seconds, runs_min }: Limits): string {
  const buckets = "job_execution_duration_seconds_bucket";
  const p95 = (window: string) =>
    `histogram_quantile(0.95, sum by (organization, job_name, le) (increase(${buckets}[${window}]))) > ${p95_seconds}`;
  return overEither(`${window_seconds}s`, p95, atLeast(RUNS, runs_min!));
}

function stale({ intervals, grace_seconds, absolute_seconds }: Limits): string {
  const age = `(time() - max ${BY} (${SUCCESS}))`;
  const pace = `${WEEK_SECONDS} / clamp_min(max ${BY} (changes(${SUCCESS}[7d])), 1)`;
  const overdue = `${age} > clamp_min(${intervals} * ${pace} + ${grace_seconds}, ${absolute_seconds})`;
  const failed = `${increase(`${RUNS}{status="failed"}`, `${absolute_seconds}s`)} > 0`;
  // Its value is a time as well: at least so long has it not succeeded.
  const never = `(0 * (${failed}) + ${absolute_seconds}) unless ${ON} (max ${BY} (${SUCCESS}))`;
  return `(${overdue}) or (${never})`;
}

const EXPRESSIONS: Record<RuleName, (limits: Limits) => string> = {
  BackgroundJobFailing: failing,
  BackgroundJobCriticalFailureRate: failing,
  BackgroundJobNotRunning: stale,
  BackgroundJobCriticallyStale: stale,
  BackgroundJobHighDuration: slow,
  BackgroundJobCriticalDuration: slow,
  BackgroundJobQueueGrowing: ({ queue_size, growth }) =>
    `${SIZE} > ${queue_size} and ${SIZE} > ${growth} * max ${BY} (job_queue_size offset 10m)`,
  BackgroundJobCriticalQueueSize: ({ queue_size }) => `${SIZE} > ${queue_size}`,
  BackgroundJobHighItemFailureRate: failingItems,
};

/** How a template writes the value of an expression. */
function written({ limits }: Rule): string {
  if (limits.failure_rate !== undefined) return "humanizePercentage";
  return limits.queue_size === undefined ? "humanizeDuration" : "humanize";
}

function ruleOf(rule: Rule): object {
  return {
    alert: rule.name,
    expr: EXPRESSIONS[rule.name](rule.limits),
    for: `${rule.forMs / 1_000}s`,
    keep_firing_for: "5m",
    labels: { severity: rule.severity },
    annotations: {
      summary: `{{ $labels.organization }}: ${rule.summary("{{ $labels.job_name }}")}`,
      description: `It is {{ ${written(rule)} $value }}. As it comes it fires when ${rule.words(rule.limits)}.`,
      runbook: `docs/runbooks/${rule.anchor}.md`,
    },
  };
}

/** The path below `deploy/`, with its text. */
export function ruleFiles(): Record<string, string> {
  const groups = [
    { name: "signalbox_background_jobs", interval: "30s", rules: ALERT_RULES.map(ruleOf) },
  ];
  const head = "# Made from src/core/alerts: change it there, then `bun run deploy:generate`.\n";
  return { "prometheus/alerts.yml": head + stringify({ groups }, { lineWidth: 0 }) };
}
