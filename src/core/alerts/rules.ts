/**
 * The nine alert rules, as data: the one definition behind the evaluation, the API, the board's runbook pages,
 * `docs/runbooks` and `deploy/prometheus/alerts.yml`.
 */
import {
  type AlertLimit,
  ITEMS_MIN,
  QUEUE_GROWTH,
  RUNS_MIN,
  STALENESS as STALE,
  THRESHOLDS,
} from "../background/thresholds.ts";
import {
  failureRate,
  itemFailureRate,
  queueGrowth,
  queueSize,
  slowest,
  staleness,
} from "./conditions.ts";
import type { JobFacts } from "./facts.ts";
import type { LimitKey, Limits } from "./thresholds.ts";
import type { Verdict } from "./verdict.ts";
import { share, span } from "./words.ts";

export const RULE_NAMES = [
  "BackgroundJobFailing",
  "BackgroundJobCriticalFailureRate",
  "BackgroundJobNotRunning",
  "BackgroundJobCriticallyStale",
  "BackgroundJobHighDuration",
  "BackgroundJobCriticalDuration",
  "BackgroundJobQueueGrowing",
  "BackgroundJobCriticalQueueSize",
  "BackgroundJobHighItemFailureRate",
] as const;
export type RuleName = (typeof RULE_NAMES)[number];
export type Severity = "critical" | "warning";

export interface Rule {
  name: RuleName;
  severity: Severity;
  /** How long the condition has to hold. */
  forMs: number;
  /** Of its runbook: `docs/runbooks/<anchor>.md`. */
  anchor: string;
  limits: Limits;
  /** What it is decided from: runs of a window, the last success, or how many wait. */
  reads: "runs" | "success" | "queue";
  condition(facts: JobFacts, limits: Limits): Verdict;
  /** What is wrong with the job, without figures. */
  summary(job: string): string;
  /** When it fires, as a sentence with these limits. */
  words(limits: Limits): string;
}

const seconds = (n: number) => span(n * 1_000);
const held = ({ forSeconds }: AlertLimit) => ({ forMs: forSeconds * 1_000 });
const {
  failure_rate: RATE,
  item_failure_rate: ITEM_RATE,
  duration_p95_seconds: P95,
  queue_size: QUEUE,
} = THRESHOLDS;

const failing = ({ limit, windowSeconds }: AlertLimit): Limits => ({
  ...{ failure_rate: limit, window_seconds: windowSeconds, runs_min: RUNS_MIN },
});
const slow = ({ limit, windowSeconds }: AlertLimit): Limits => ({
  ...{ p95_seconds: limit, window_seconds: windowSeconds, runs_min: RUNS_MIN },
});
const stale = (intervals: number, { limit }: AlertLimit): Limits => ({
  ...{ intervals, grace_seconds: STALE.graceSeconds, absolute_seconds: limit },
});

const FAILURES: readonly Rule[] = [
  {
    ...{ name: "BackgroundJobFailing", severity: "warning", ...held(RATE.alert.warning) },
    ...{
      anchor: "job-failures",
      reads: "runs",
      condition: failureRate,
      limits: failing(RATE.alert.warning),
    },
    summary: (job) => `Background job ${job} is failing`,
    words: failureWords,
  },
  {
    ...{ name: "BackgroundJobCriticalFailureRate", severity: "critical" },
    ...{
      anchor: "critical-failure-rate",
      reads: "runs",
      condition: failureRate,
      ...held(RATE.alert.critical),
    },
    limits: failing(RATE.alert.critical),
    summary: (job) => `Most runs of background job ${job} fail`,
    words: failureWords,
  },
];

const STALENESS: readonly Rule[] = [
  {
    ...{ name: "BackgroundJobNotRunning", severity: "warning", ...held(STALE.alert.warning) },
    ...{ anchor: "job-not-running", reads: "success", condition: staleness },
    limits: stale(STALE.warningIntervals, STALE.alert.warning),
    summary: (job) => `Background job ${job} has not succeeded in time`,
    words: staleWords,
  },
  {
    ...{ name: "BackgroundJobCriticallyStale", severity: "critical" },
    ...{
      anchor: "job-critically-stale",
      reads: "success",
      condition: staleness,
      ...held(STALE.alert.critical),
    },
    limits: stale(STALE.badIntervals, STALE.alert.critical),
    summary: (job) => `Background job ${job} has not succeeded for a long time`,
    words: staleWords,
  },
];

const DURATIONS: readonly Rule[] = [
  {
    ...{ name: "BackgroundJobHighDuration", severity: "warning", ...held(P95.alert.warning) },
    ...{
      anchor: "high-duration",
      reads: "runs",
      condition: slowest,
      limits: slow(P95.alert.warning),
    },
    summary: (job) => `Background job ${job} takes long`,
    words: slowWords,
  },
  {
    ...{ name: "BackgroundJobCriticalDuration", severity: "critical" },
    ...{
      anchor: "critical-duration",
      reads: "runs",
      condition: slowest,
      ...held(P95.alert.critical),
    },
    limits: slow(P95.alert.critical),
    summary: (job) => `Background job ${job} takes far too long`,
    words: slowWords,
  },
];

const QUEUES: readonly Rule[] = [
  {
    ...{ name: "BackgroundJobQueueGrowing", severity: "warning", ...held(QUEUE.alert.warning) },
    ...{ anchor: "queue-growing", reads: "queue", condition: queueGrowth },
    limits: { queue_size: QUEUE.alert.warning.limit, growth: QUEUE_GROWTH },
    summary: (job) => `More and more jobs called ${job} wait`,
    words: ({ queue_size, growth }) =>
      `more than ${queue_size} of its jobs wait for a slot, over ${growth} times as many as 10 minutes before`,
  },
  {
    ...{ name: "BackgroundJobCriticalQueueSize", severity: "critical" },
    ...{
      anchor: "critical-queue-size",
      reads: "queue",
      condition: queueSize,
      ...held(QUEUE.alert.critical),
    },
    limits: { queue_size: QUEUE.alert.critical.limit },
    summary: (job) => `Very many jobs called ${job} wait`,
    words: ({ queue_size }) => `more than ${queue_size} of its jobs wait for a slot`,
  },
];

const ITEMS: readonly Rule[] = [
  {
    ...{ name: "BackgroundJobHighItemFailureRate", severity: "warning" },
    ...{ anchor: "high-item-failure-rate", reads: "runs", condition: itemFailureRate },
    ...held(ITEM_RATE.alert.warning),
    limits: {
      failure_rate: ITEM_RATE.alert.warning.limit,
      window_seconds: ITEM_RATE.alert.warning.windowSeconds,
      items_min: ITEMS_MIN,
    },
    summary: (job) => `Background job ${job} fails on many items`,
    words: ({ failure_rate, window_seconds, items_min }) =>
      `more than ${share(failure_rate!)} of its items failed over ${seconds(window_seconds!)} ` +
      `(longer where runs are rare), of at least ${items_min}`,
  },
];

export const ALERT_RULES: readonly Rule[] = [FAILURES, STALENESS, DURATIONS, QUEUES, ITEMS].flat();

const BY_NAME = new Map(ALERT_RULES.map((rule) => [rule.name as string, rule]));

export function ruleOf(name: string): Rule | undefined {
  return BY_NAME.get(name);
}

export function ruleOfAnchor(anchor: string): Rule | undefined {
  return ALERT_RULES.find((rule) => rule.anchor === anchor);
}

export function limitKeys(rule: Rule): LimitKey[] {
  return Object.keys(rule.limits) as LimitKey[];
}

/** "Fires when …, for 5 minutes." */
export function firesWhen(rule: Rule, limits: Limits = rule.limits): string {
  return `Fires when ${rule.words(limits)}, for ${span(rule.forMs)}.`;
}

function failureWords({ failure_rate, window_seconds, runs_min }: Limits): string {
  return (
    `more than ${share(failure_rate!)} of its runs failed over ${seconds(window_seconds!)} ` +
    `(longer where runs are rare), of at least ${runs_min}`
  );
}

function staleWords({ intervals, grace_seconds, absolute_seconds }: Limits): string {
  return (
    `${intervals} due times and ${seconds(grace_seconds!)} went by without a success, or, where nothing says when ` +
    `it is due, it ran and did not succeed for ${seconds(absolute_seconds!)} (a job that never succeeded counts)`
  );
}

function slowWords({ p95_seconds, window_seconds }: Limits): string {
  return (
    `one run in twenty takes more than ${seconds(p95_seconds!)}, over ${seconds(window_seconds!)} ` +
    "(longer where runs are rare)"
  );
}
