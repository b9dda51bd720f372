/**
 * The alert rules for Prometheus, out of the definition that Signalbox itself evaluates (`src/core/alerts`). It
 * knows no rows, so that a job that runs rarely is seen over the shortest of a few windows that holds enough of it,
 * and no due times, but how often each is to run.
 */
import { stringify } from "yaml";
import { ALERT_RULES, type Rule, type RuleName } from "../../src/core/alerts/rules.ts";
import type { Limits } from "../../src/core/alerts/thresholds.ts";
import { BY, ladder, ON, PAUSED, RECORDED } from "./windows.ts";

const WEEK_SECONDS = 7 * 86_400;
const SIZE = `max ${BY} (job_queue_size)`;
const SUCCESS = `max ${BY} (job_last_success_timestamp_seconds)`;
const FAILURE = `max ${BY} (job_last_failure_timestamp_seconds)`;
const INTERVAL = `max ${BY} (job_expected_interval_seconds)`;
const GRACE = `max ${BY} (job_expected_grace_seconds)`;
/** The wait for a success began. */
const BEGAN = `max ${BY} ({__name__=~"job_last_success_timestamp_seconds|job_expected_since_timestamp_seconds"})`;

function failing({ failure_rate, window_seconds, runs_min }: Limits): string {
  const share = ({ failed, runs }: Record<string, string>) =>
    `${failed} / ${runs} > ${failure_rate}`;
  return ladder(window_seconds!, share, { of: "runs", least: runs_min! });
}

function failingItems({ failure_rate, window_seconds, items_min }: Limits): string {
  const share = ({ itemsFailed, items }: Record<string, string>) =>
    `${itemsFailed} / ${items} > ${failure_rate}`;
  return ladder(window_seconds!, share, { of: "items", least: items_min! });
}

function slow({ p95_seconds, window_seconds, runs_min }: Limits): string {
  const longer = ({ p95 }: Record<string, string>) => `${p95} > ${p95_seconds}`;
  return ladder(window_seconds!, longer, { of: "runs", least: runs_min! });
}

/**
 * Where it is told how often a job is to run, a run can be missing. Where it is not, what can be said is that it
 * failed and has not succeeded since; or never did, for at least so long.
 */
function stale({ intervals, absolute_seconds }: Limits): string {
  const overdue = `time() - ${BEGAN} > ${intervals} * ${INTERVAL} + ${GRACE}`;
  const failed = `(time() - ${SUCCESS} > ${absolute_seconds}) and ${ON} (${FAILURE} > ${SUCCESS}) unless ${ON} (${INTERVAL})`;
  // As it was then, and whatever server told it: one that takes over leaves a hole of a scrape or two.
  const then = `max ${BY} (max_over_time(job_last_failure_timestamp_seconds[5m] offset ${absolute_seconds}s))`;
  const never = `(time() - ${then}) and ${ON} (time() - ${FAILURE} < ${WEEK_SECONDS}) unless ${ON} (${BEGAN}) unless ${ON} (${PAUSED})`;
  return `(${overdue}) or (${failed}) or (${never})`;
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
  // Of one group, and so evaluated one after the other: what is recorded is there for those that ask for it.
  const rules = [...RECORDED, ...ALERT_RULES.map(ruleOf)];
  const groups = [{ name: "signalbox_background_jobs", interval: "30s", rules }];
  const head = "# Made from src/core/alerts: change it there, then `bun run deploy:generate`.\n";
  return { "prometheus/alerts.yml": head + stringify({ groups }, { lineWidth: 0 }) };
}
