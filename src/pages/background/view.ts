/** What the page of background jobs prints beside its charts, and what it gives to be downloaded. Pure. */
import type { Expectation, Staleness } from "../../core/background/staleness.ts";
import { type Judgement, THRESHOLDS, thresholdWords } from "../../core/background/thresholds.ts";
import type { Background, BackgroundName } from "../../web/background/read_background.ts";
import type { ChartTable } from "../../web/charts/download.ts";
import { count, decimal, duration, iso, percent, plural } from "../../web/format.ts";
import { jobsLink } from "../../web/metrics/jobs_link.ts";
import type { Figure } from "../../web/metrics/metric_page.ts";
import type { Label } from "./charts.ts";

/** Where it stands, and is said, how often a name is to run. */
export const EXPECTED = "/board/background/expected";
const NO_DATA = "no run in this time";

const FIGURE_TONES = { good: "good", warning: "warn", bad: "bad", unknown: undefined } as const;

function toned(judgement: Judgement): { tone?: "good" | "warn" | "bad" } {
  const tone = FIGURE_TONES[judgement];
  return tone === undefined ? {} : { tone };
}

export function figuresOf({ overall, names, knownMs }: Background): Figure[] {
  const { figures } = overall;
  const { runs, items } = figures;
  const told = runs === 0 ? NO_DATA : `${plural(runs, "run")} in this time`;
  const failing = figures.judged.failuresPerMinute;
  const overdue = names.filter((one) =>
    ["warning", "bad"].includes(one.staleness.judgement),
  ).length;
  const never = names.filter((one) => one.staleness.neverSucceeded).length;
  return [
    {
      id: "successes",
      label: "Successes / min",
      value: perMinute(figures.successesPerMinute),
      note: told,
    },
    {
      ...{ id: "failures", label: "Failures / min", value: perMinute(figures.failuresPerMinute) },
      note: `${count(figures.failed)} in ${duration(knownMs)}`,
      ...(failing === "good" ? {} : toned(failing)),
    },
    {
      ...{ id: "overdue", label: "Overdue", value: names.length === 0 ? "–" : count(overdue) },
      note: `of ${plural(names.length, "name")} shown`,
      ...(overdue > 0 ? { tone: "warn" as const } : {}),
    },
    {
      ...{ id: "never", label: "Never succeeded", value: names.length === 0 ? "–" : count(never) },
      note: "ran, and failed every time",
      ...(never > 0 ? { tone: "bad" as const } : {}),
    },
    {
      ...{
        id: "items",
        label: "Items",
        value: count(items.success + items.failed + items.skipped),
      },
      note: `${count(items.failed)} failed, ${count(items.skipped)} skipped`,
    },
  ];
}

function perMinute(n: number | null): string {
  if (n === null) return "–";
  return n > 0 && n < 0.001 ? "<0.001" : decimal(n, n < 1 ? 3 : 2);
}

// The gauge

/** Of the half circle with radius 80, in the units of its picture. */
const ARC = Math.PI * 80;

export function gaugeModel({ overall }: Background, links: Links) {
  const { successRate, runs, judged } = overall.figures;
  const { warning, bad } = THRESHOLDS.success_rate;
  const words = thresholdWords("success_rate");
  return {
    ...{ id: "success-rate", judgement: judged.successRate, links: links("success-rate") },
    value: successRate === null ? "No data" : percent(successRate),
    sign: signOf(judged.successRate),
    note:
      runs === 0
        ? NO_DATA
        : `${plural(overall.figures.succeeded, "success", "successes")} of ${plural(runs, "run")}`,
    filled: successRate === null ? 0 : round(successRate * ARC),
    whole: round(ARC),
    bands: [
      { judgement: "bad", from: 0, length: round(bad * ARC) },
      { judgement: "warning", from: round(bad * ARC), length: round((warning - bad) * ARC) },
      { judgement: "good", from: round(warning * ARC), length: round((1 - warning) * ARC) },
    ],
    help: `${THRESHOLDS.success_rate.help} Good ${words.good}, a warning ${words.warning}, bad ${words.bad}; fewer than three runs are not judged.`,
  };
}

const round = (n: number) => Math.round(n * 100) / 100;

// Time since the last success

export function staleModel({ names }: Background, { now, links, label, org }: PartAsk) {
  return {
    links: links("staleness"),
    tiles: names.map((one) => ({
      ...{
        id: one.id,
        label: label(one),
        href: namesJobs(one, org),
        judgement: one.staleness.judgement,
      },
      sign: signOf(one.staleness.judgement),
      value: sinceWords(one.staleness),
      note: expectedWords(one.expectation, one.staleness, now),
    })),
  };
}

const SIGNS: Readonly<Record<Judgement, string>> = {
  good: "good",
  warning: "warning",
  bad: "bad",
  unknown: "",
};

/** Colours are never the only sign. */
function signOf(judgement: Judgement): string {
  return SIGNS[judgement];
}

export function sinceWords({ sinceMs, neverSucceeded }: Staleness): string {
  if (neverSucceeded) return "never";
  return sinceMs === null ? "No data" : duration(sinceMs);
}

export function expectedWords(expected: Expectation, staleness: Staleness, now: number): string {
  const { intervalMs, warningAt, nextAt } = staleness;
  if (expected.kind === "paused") return "its schedules are paused";
  if (expected.kind === "as_needed") return "runs as needed";
  if (warningAt !== null && now >= warningAt) return `overdue since ${duration(now - warningAt)}`;
  if (expected.kind === "unknown") return "no schedule";
  const every = intervalMs === null ? "" : `every ${duration(intervalMs)}`;
  const next = nextAt === null ? "" : `next in ${duration(nextAt - now)}`;
  return [every, next].filter((word) => word !== "").join(", ");
}

// The table

type Links = (id: string) => { csv: string; json: string };
interface PartAsk {
  now: number;
  links: Links;
  /** As it is called here. */
  label: Label;
  org: Label;
}

export function tableModel(data: Background, { now, links, label, org }: PartAsk) {
  return {
    links: links("names"),
    help: {
      failureRate: THRESHOLDS.failure_rate.help,
      p95: THRESHOLDS.duration_p95_seconds.help,
      items: THRESHOLDS.item_failure_rate.help,
      queue: THRESHOLDS.queue_size.help,
    },
    rows: data.names.map((one) => rowOf(one, { label: label(one), org, now })),
  };
}

function rowOf(
  one: BackgroundName,
  { label, org, now }: { label: string; org: Label; now: number },
) {
  const { figures, staleness } = one;
  const { judged, items } = figures;
  const cell = (text: string, judgement: Judgement) => ({
    text,
    judgement,
    sign: signOf(judgement),
  });
  const counted = items.success + items.failed + items.skipped;
  return {
    ...{ id: one.id, label, href: namesJobs(one, org) },
    expected: {
      words: expectedWords(one.expectation, staleness, now),
      href: expectedHref(one, org),
    },
    runs: count(figures.runs),
    success: perMinute(figures.successesPerMinute),
    failures: cell(perMinute(figures.failuresPerMinute), judged.failuresPerMinute),
    failureRate: cell(percent(figures.failureRate), judged.failureRate),
    p50: duration(figures.p50Ms),
    p95: cell(duration(figures.p95Ms), judged.p95),
    items:
      counted === 0
        ? "–"
        : `${count(items.success)} / ${count(items.failed)} / ${count(items.skipped)}`,
    itemRate: cell(percent(figures.itemFailureRate), judged.itemFailureRate),
    queue: cell(queueWords(figures.queue, figures.queueBefore), judged.queue),
    since: cell(sinceWords(staleness), staleness.judgement),
    failure: failureOf(one, now),
  };
}

function queueWords(now: number | null, before: number | null): string {
  if (now === null) return "–";
  return `${count(now)} (${before === null ? "–" : count(before)})`;
}

function failureOf({ failureAt, failureJob, failureError }: BackgroundName, now: number) {
  if (failureAt === null) return null;
  return {
    ago: `${duration(now - failureAt)} ago`,
    error: failureError ?? "",
    href: failureJob === null ? null : `/board/jobs/${failureJob}`,
  };
}

function namesJobs(one: BackgroundName, org: Label): string | null {
  return one.org < 0 ? null : jobsLink({ org: org(one), name: one.name });
}

/** Of maintenance nobody says how often it is to run. */
function expectedHref(one: BackgroundName, org: Label): string | null {
  return one.org < 0
    ? null
    : `${EXPECTED}?${new URLSearchParams({ org: org(one), name: one.name })}`;
}

// To be downloaded

export function tablesOf(data: Background, org: (one: BackgroundName) => string) {
  const { figures } = data.overall;
  return {
    "success-rate": {
      columns: ["runs", "succeeded", "failed", "success_rate"],
      rows: [[figures.runs, figures.succeeded, figures.failed, figures.successRate]],
    },
    staleness: {
      columns: [
        "org",
        "name",
        "last_success_at",
        "seconds_since_success",
        "never_succeeded",
        "judgement",
      ],
      rows: data.names.map((one) => [
        ...[org(one), one.name, moment(one.successAt), secondsOf(one.staleness.sinceMs)],
        ...[String(one.staleness.neverSucceeded), one.staleness.judgement],
      ]),
    },
    names: namesTable(data.names, org),
  } satisfies Record<string, ChartTable>;
}

const moment = (ms: number | null) => (ms === null ? null : iso(ms));
const secondsOf = (ms: number | null) => (ms === null ? null : ms / 1_000);

function namesTable(
  names: readonly BackgroundName[],
  org: (one: BackgroundName) => string,
): ChartTable {
  return {
    columns: [
      ...[
        "org",
        "name",
        "runs",
        "succeeded",
        "failed",
        "successes_per_minute",
        "failures_per_minute",
      ],
      ...[
        "success_rate",
        "failure_rate",
        "p50_ms",
        "p95_ms",
        "items_success",
        "items_failed",
        "items_skipped",
      ],
      ...["item_failure_rate", "queue", "queue_10_minutes_ago", "expected_interval_seconds"],
      ...["last_run_at", "last_success_at", "last_failure_at"],
    ],
    rows: names.map((one) => {
      const { figures: own, staleness } = one;
      const { items } = own;
      return [
        ...[org(one), one.name, own.runs, own.succeeded, own.failed],
        ...[own.successesPerMinute, own.failuresPerMinute, own.successRate, own.failureRate],
        ...[own.p50Ms, own.p95Ms, items.success, items.failed, items.skipped, own.itemFailureRate],
        ...[own.queue, own.queueBefore, secondsOf(staleness.intervalMs)],
        ...[moment(one.runAt), moment(one.successAt), moment(one.failureAt)],
      ];
    }),
  };
}
