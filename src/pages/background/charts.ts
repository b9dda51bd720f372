/** Charts of the page of background jobs. Pure. */

import type { RuleName } from "../../core/alerts/rules.ts";
import { bandCounts } from "../../core/background/duration_bands.ts";
import { THRESHOLDS, thresholdWords } from "../../core/background/thresholds.ts";
import { DURATION_BAND_WORDS, knownMetric } from "../../core/metrics/catalogue.ts";
import { type Point, pointsOf } from "../../core/metrics/series.ts";
import { bucketWidth, perBucket } from "../../core/metrics/time_range.ts";
import type { AlertSpan } from "../../web/alerts/marks.ts";
import type { Background, BackgroundName } from "../../web/background/read_background.ts";
import { cellsByName, type RunCells, type RunMetric } from "../../web/background/run_cells.ts";
import {
  type BarChart,
  type Chart,
  type ChartLine,
  countOf,
  type HeatChart,
  p50Of,
  p95Of,
  type TimeChart,
  type Tone,
} from "../../web/charts/chart.ts";

import { count } from "../../web/format.ts";

/** By the place of a name among those that are drawn. */
const TONES: readonly Tone[] = ["plain", "second", "third", "fourth", "good", "muted"];
const NOTHING_RAN = "Nothing ran in this time. Take a longer range, or submit a job.";

type About = Omit<TimeChart, "kind" | "start" | "step" | "running" | "lines">;

const METRIC = {
  succeeded: "jobs.succeeded",
  failed: "runs.failed",
  succeededMs: "jobs.duration_ms",
  failedMs: "runs.failed_ms",
  itemsSuccess: "items.success",
  itemsFailed: "items.failed",
  itemsSkipped: "items.skipped",
} as const satisfies Record<RunMetric, string>;

function points({ span, covered }: Background, cells: RunCells, of: RunMetric): Point[] {
  return pointsOf(knownMetric(METRIC[of]), cells[of], span, covered);
}

/** Run times of all runs, those that failed too. */
function runTimes({ span, covered }: Background, cells: RunCells): Point[] {
  const all = [...cells.succeededMs, ...cells.failedMs];
  return pointsOf(knownMetric(METRIC.succeededMs), all, span, covered);
}

function timeOf(about: About, data: Background, lines: ChartLine[]): TimeChart {
  // Of every line the same.
  const some = pointsOf(knownMetric(METRIC.succeeded), [], data.span, data.covered);
  const running = some.findIndex((point) => point.isRunning);
  return {
    ...about,
    kind: "time",
    ...{
      start: data.span.from,
      step: bucketWidth(data.range),
      running: running < 0 ? null : running,
    },
    lines,
  };
}

const isEmptyLine = ({ values }: ChartLine) => values.every((value) => !value);

/** `opens`: of what are jobs; maintenance is none. */
export function statusChart(data: Background, opens: string | undefined): TimeChart {
  const { cells } = data.overall;
  const [good, bad] = [points(data, cells, "succeeded"), points(data, cells, "failed")];
  const line = (name: string, tone: Tone, some: Point[]): ChartLine => {
    return { name, tone, style: "area", values: some.map(countOf) };
  };
  return timeOf(
    {
      ...{ id: "status", title: `Runs ${perBucket(data.range)}`, unit: "count", columns: 24 },
      ...(opens === undefined ? {} : { opens }),
      sentence: "Every attempt that ended well or failed, of all names. A click opens the jobs.",
      empty: NOTHING_RAN,
    },
    data,
    [line("Succeeded", "good", good), line("Failed", "bad", bad)],
  );
}

export function queueChart(data: Background, label: Label): TimeChart {
  const { names, cells, looks } = data.queues;
  const metric = knownMetric("jobs.pending");
  const own = names.map((one) => {
    const mine = cells.filter((cell) => cell.name === one.id);
    return pointsOf(metric, mine, data.span, { ...data.covered, looks });
  });
  const { warning, bad } = thresholdWords("queue_size");
  return timeOf(
    {
      ...{ id: "queues", title: "Queue sizes", unit: "count", columns: 16 },
      sentence: `Jobs of a name that are ready and wait for a slot: the mean of every look. Those of which most waited; it is a warning ${warning} and growing, and bad ${bad}.`,
      empty: "Nothing waited for a slot at any look of this time.",
    },
    data,
    own.map((some, at) => {
      return { ...named(label(names[at]!), at), style: "line", values: some.map((p) => p.avg) };
    }),
  );
}

export type Label = (name: BackgroundName) => string;

function named(name: string, at: number): { name: string; tone: Tone } {
  return { name, tone: TONES[at % TONES.length]! };
}

/** A line for each name that is drawn, and one for its failures where there are any. */
export function rateChart(data: Background, label: Label): TimeChart {
  const { names, cells } = data.drawn;
  const cellsOf = cellsByName(cells);
  const lines = names.flatMap((one, at): ChartLine[] => {
    const own = cellsOf(one.id);
    const word = named(label(one), at);
    const good = points(data, own, "succeeded").map(countOf);
    const line: ChartLine = { ...word, style: "line", values: good };
    if (own.failed.length === 0) return [line];
    const failed: ChartLine = {
      ...{ name: `${word.name} (failed)`, tone: "bad", style: "line", isUnlisted: true },
      values: points(data, own, "failed").map(countOf),
    };
    return [line, ...(isEmptyLine(failed) ? [] : [failed])];
  });
  return timeOf(
    {
      ...{ id: "rates", title: `Runs ${perBucket(data.range)} by job`, unit: "count", columns: 12 },
      sentence: `Runs that ended well; in red those that failed. ${drawnWords(data)}`,
      empty: NOTHING_RAN,
    },
    data,
    lines,
  );
}

export function durationChart(data: Background, label: Label): TimeChart {
  const { names, cells } = data.drawn;
  const cellsOf = cellsByName(cells);
  const linesOf = (one: BackgroundName, at: number): ChartLine[] => {
    const { name, tone } = named(label(one), at);
    const times = runTimes(data, cellsOf(one.id));
    const line = { tone, style: "line" as const };
    return [
      { ...line, name: `${name} p95`, values: times.map(p95Of) },
      { ...line, name: `${name} p50`, values: times.map(p50Of), isFaint: true, isUnlisted: true },
    ];
  };
  const { warning, bad } = thresholdWords("duration_p95_seconds");
  return timeOf(
    {
      ...{ id: "durations", title: `Run time ${perBucket(data.range)} by job`, columns: 12 },
      sentence: `p95 and, thin, p50 of all runs, those that failed too; right within 1 %. A p95 is a warning ${warning}, and bad ${bad}.`,
      ...{ unit: "milliseconds", empty: NOTHING_RAN },
    },
    data,
    names.flatMap(linesOf),
  );
}

const ITEM_LINES = [
  ["itemsSuccess", "done", null],
  ["itemsFailed", "failed", "bad"],
  ["itemsSkipped", "skipped", "second"],
] as const;

export function itemsChart(data: Background, label: Label): TimeChart {
  const { names, cells } = data.drawn;
  const cellsOf = cellsByName(cells);
  const lines = names.flatMap((one, at) => {
    const own = cellsOf(one.id);
    const { name, tone } = named(label(one), at);
    const counted = ITEM_LINES.filter(([metric]) => own[metric].length > 0);
    return counted.map(([metric, words, fixed]): ChartLine => {
      const values = points(data, own, metric).map((point) => point.sum);
      const isUnlisted = fixed !== null;
      return { name: `${name} ${words}`, tone: fixed ?? tone, style: "line", values, isUnlisted };
    });
  });
  return timeOf(
    {
      ...{
        id: "items",
        title: `Items ${perBucket(data.range)} by job`,
        unit: "count",
        columns: 12,
      },
      sentence:
        "What runs counted as done when they ended; in red what failed, in yellow what was skipped.",
      empty: "No run of these names counted items in this time: handlers do so by job.items().",
    },
    data,
    lines.filter((line) => !isEmptyLine(line)),
  );
}

/** Bars that a chart's height has room for. */
const BARS_MAX = 20;

/** One line a colour: each bar stands in the line of its own. */
export function failureBars({ names }: Background, label: Label): BarChart {
  const { warning, bad } = THRESHOLDS.failure_rate;
  const ran = names
    .filter((one) => one.figures.failureRate !== null)
    .sort((a, b) => b.figures.failureRate! - a.figures.failureRate!)
    .slice(0, BARS_MAX);
  const line = (words: string, tone: Tone, is: (one: BackgroundName) => boolean) => ({
    ...{ name: words, tone, stack: "rate" },
    values: ran.map((one) => (is(one) ? one.figures.failureRate! * 100 : null)),
  });
  const of = (judgement: string) => (one: BackgroundName) =>
    one.figures.judged.failureRate === judgement;
  return {
    ...{ kind: "bars", id: "failures", title: "Failure rate by job", unit: "percent", columns: 12 },
    sentence: `Runs that failed, of all runs of the time shown. ${THRESHOLDS.failure_rate.label}: a warning from ${warning * 100} %, bad from ${bad * 100} %; of fewer than three runs it is not judged.`,
    empty: NOTHING_RAN,
    labels: ran.map(label),
    lines: [
      line(`Below ${warning * 100} %`, "good", of("good")),
      line(`From ${warning * 100} %`, "second", of("warning")),
      line(`From ${bad * 100} %`, "bad", of("bad")),
      line("Too few runs", "muted", of("unknown")),
    ],
    isLying: true,
  };
}

export function heatChart(data: Background, opens: string | undefined): HeatChart {
  const { cells } = data.overall;
  const times = points(data, cells, "succeeded");
  const byBucket = Map.groupBy([...cells.succeededMs, ...cells.failedMs], (cell) => cell.bucket);
  const counts = times.map(({ bucket, count }) => {
    const own = byBucket.get(bucket) ?? [];
    if (count === null && own.length === 0) return null;
    return bandCounts(own.map((cell) => cell.histogram));
  });
  const running = times.findIndex((point) => point.isRunning);
  return {
    ...{ kind: "heat", id: "heat", title: `Run times ${perBucket(data.range)}`, unit: "count" },
    sentence:
      "How many runs of all names took how long, those that failed too: the stronger the colour, the more. A click opens the jobs.",
    ...{ columns: 24, empty: NOTHING_RAN, ...(opens === undefined ? {} : { opens }) },
    ...{
      start: data.span.from,
      step: bucketWidth(data.range),
      running: running < 0 ? null : running,
    },
    bands: DURATION_BAND_WORDS,
    values: DURATION_BAND_WORDS.map((_, band) => counts.map((one) => one?.[band] ?? null)),
  };
}

function drawnWords({ drawn, names }: Background): string {
  const ran = names.filter((one) => one.figures.runs > 0).length;
  return ran > drawn.names.length ? `The ${drawn.names.length} busiest names.` : "";
}

const RULES_OF: Readonly<Record<string, readonly RuleName[]>> = {
  rates: [
    ...(["BackgroundJobFailing", "BackgroundJobCriticalFailureRate"] as const),
    ...(["BackgroundJobNotRunning", "BackgroundJobCriticallyStale"] as const),
  ],
  durations: ["BackgroundJobHighDuration", "BackgroundJobCriticalDuration"],
  queues: ["BackgroundJobQueueGrowing", "BackgroundJobCriticalQueueSize"],
  items: ["BackgroundJobHighItemFailureRate"],
};

/** Alerts that a sentence names. */
const NAMED_MAX = 3;

/** Shades when an alert fired that is about what the chart shows, and says which. */
export function withAlerts<C extends Chart>(chart: C, spans: readonly AlertSpan[]): C {
  const rules = RULES_OF[chart.id] ?? [];
  const own = spans.filter(({ rule }) => rules.includes(rule));
  if (own.length === 0 || chart.kind !== "time") return chart;
  const names = [...new Set(own.map(({ rule, job_name }) => `${rule} of ${job_name}`))];
  const more = names.length - NAMED_MAX;
  const told = [...names.slice(0, NAMED_MAX), ...(more > 0 ? [`${count(more)} more`] : [])];
  return {
    ...chart,
    sentence: `${chart.sentence} Shaded: an alert fired (${told.join(", ")}).`,
    shaded: own.map(({ from, to, severity }) => {
      return { from, to, tone: severity === "critical" ? "bad" : "warn" };
    }),
  };
}
