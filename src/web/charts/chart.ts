/** A chart as data: what is drawn, what is read aloud, and what is downloaded are made of the same figures. */
import type { Point } from "../../core/metrics/series.ts";
import { bucketWidth, type TimeRange } from "../../core/metrics/time_range.ts";
import type { Series } from "../metrics/read_series.ts";

/** How figures are written beside the chart. */
export type ChartUnit =
  | "count"
  | "milliseconds"
  | "mebibytes"
  | "bytes"
  | "percent"
  | "points"
  | "megabytes_per_second"
  | "megabits_per_second";

/** Colours that stay apart for those who see fewer, with a line style of its own each. */
export type Tone = "plain" | "good" | "bad" | "second" | "third" | "fourth" | "muted";

interface Common {
  /** Of the page. */
  id: string;
  title: string;
  /** What it measures. */
  sentence: string;
  unit: ChartUnit;
  /** What to do where there is nothing to draw. */
  empty: string;
  /** How wide it is, of a grid of 24 columns. */
  columns?: number;
}

export interface ChartLine {
  name: string;
  values: readonly (number | null)[];
  style: "line" | "area" | "bar";
  tone: Tone;
  /** Lines of one stack stand on each other. */
  stack?: string;
  /** Drawn thin, beside another of the same colour. */
  isFaint?: boolean;
  /** Not among the names above the chart: it belongs to a line that is. */
  isUnlisted?: boolean;
}

export interface TimeChart extends Common {
  kind: "time";
  /** The first bucket's beginning, and a bucket's width: milliseconds. */
  start: number;
  step: number;
  /** From here on no bucket is complete; null where the last one is. */
  running: number | null;
  lines: readonly ChartLine[];
  /** An address with {from} and {to}: what happened in a bucket. */
  opens?: string;
  /** Times in which something was the matter, shaded; the sentence says what. Epoch milliseconds. */
  shaded?: readonly Shaded[];
}

export interface Shaded {
  from: number;
  to: number;
  tone: "warn" | "bad";
}

export interface BarChart extends Common {
  kind: "bars";
  labels: readonly string[];
  lines: readonly Omit<ChartLine, "style">[];
  /** Bars lie, so that long labels have room. */
  isLying?: boolean;
}

export interface HeatChart extends Common {
  kind: "heat";
  start: number;
  step: number;
  running: number | null;
  /** From the bottom up. */
  bands: readonly string[];
  /** By band, then by bucket. */
  values: readonly (readonly (number | null)[])[];
  opens?: string;
}

export interface RadarChart extends Common {
  kind: "radar";
  axes: readonly { label: string; most: number }[];
  lines: readonly Omit<ChartLine, "style">[];
}

export type Chart = TimeChart | BarChart | HeatChart | RadarChart;

export interface LineOf {
  name: string;
  series: Series;
  pick(point: Point): number | null;
  style?: ChartLine["style"];
  tone?: Tone;
  stack?: string;
}

/** Lines over the same span. */
export function timeChart(
  about: Omit<TimeChart, "kind" | "start" | "step" | "running" | "lines">,
  range: TimeRange,
  lines: readonly LineOf[],
): TimeChart {
  const points = lines[0]?.series.points ?? [];
  const running = points.findLastIndex((point) => !point.isRunning) + 1;
  return {
    ...about,
    kind: "time",
    start: points[0]?.bucket ?? range.from,
    step: bucketWidth(range),
    running: running >= points.length ? null : running,
    lines: lines.map(({ name, series, pick, style = "line", tone = "plain", stack }) => ({
      ...{ name, style, tone, values: series.points.map(pick) },
      ...(stack === undefined ? {} : { stack }),
    })),
  };
}

export function isEmpty(chart: Chart): boolean {
  const rows = chart.kind === "heat" ? chart.values : chart.lines.map((line) => line.values);
  return rows.every((row) => row.every((value) => value === null || value === 0));
}

// What points are drawn by

export const countOf = (point: Point) => point.count;
export const meanOf = (point: Point) => point.avg;
export const mostOf = (point: Point) => point.most;
export const p50Of = (point: Point) => point.p50;
export const p95Of = (point: Point) => point.p95;
