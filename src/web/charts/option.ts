/**
 * Options of ECharts for a chart. Colours, sizes of letters and how figures are written are the
 * browser's part (`public/js/chart_format.js`), which knows the theme and the reader's zone; everything
 * else is decided here, where tests see it.
 */
import type { BarChart, Chart, ChartLine, HeatChart, RadarChart, TimeChart } from "./chart.ts";

/** What the browser gets: `option` goes to ECharts, the rest tells how to finish it. */
export interface ChartData {
  kind: Chart["kind"];
  unit: Chart["unit"];
  tones: string[];
  start?: number;
  step?: number;
  running?: number | null;
  opens?: string;
  shaded?: TimeChart["shaded"];
  option: object;
}

export function chartData(chart: Chart): ChartData {
  const { kind, unit } = chart;
  if (kind === "time") return { kind, unit, ...timeData(chart) };
  if (kind === "heat") return { kind, unit, ...heatData(chart) };
  if (kind === "bars") return { kind, unit, ...barData(chart) };
  return { kind, unit, ...radarData(chart) };
}

type Own = Omit<ChartData, "kind" | "unit">;

const GRID = { left: 8, right: 14, top: 30, bottom: 4, containLabel: true };
const LEGEND = { top: 0, left: 0, itemWidth: 16, itemHeight: 8, icon: "roundRect" };
const AT_A_TIME = { trigger: "axis", renderMode: "richText", confine: true };

/** Values alone: the browser puts each at its moment, so that the page carries no times. */
function timeData({ start, step, running, opens, shaded = [], lines }: TimeChart): Own {
  return {
    ...{ start, step, running, tones: lines.map((line) => line.tone) },
    ...(opens === undefined ? {} : { opens }),
    ...(shaded.length === 0 ? {} : { shaded }),
    option: {
      grid: GRID,
      legend: legendOf(lines),
      tooltip: AT_A_TIME,
      xAxis: { type: "time" },
      yAxis: { type: "value", min: 0, splitNumber: 4 },
      series: lines.map(seriesOf),
    },
  };
}

function legendOf(lines: readonly ChartLine[]): object {
  const listed = lines.filter((line) => !line.isUnlisted).map((line) => line.name);
  const some = listed.length < lines.length ? { data: listed } : {};
  return { ...LEGEND, show: lines.length > 1, ...some };
}

function seriesOf({ name, values, style, stack, isFaint }: ChartLine): object {
  const common = { name, data: values.map(rounded), ...(stack === undefined ? {} : { stack }) };
  if (style === "bar") return { ...common, type: "bar", barMaxWidth: 22, barCategoryGap: "15%" };
  return {
    ...common,
    type: "line",
    showSymbol: hasLonePoint(values),
    connectNulls: false,
    // A bucket alone between gaps would not be drawn as a line.
    symbolSize: 5,
    ...(style === "area" ? { areaStyle: { opacity: 0.16 } } : {}),
    ...(isFaint ? { isFaint } : {}),
  };
}

function hasLonePoint(values: readonly (number | null)[]): boolean {
  return values.some(
    (value, at) =>
      value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null,
  );
}

function barData({ labels, lines, isLying, unit }: BarChart): Own {
  const names = { type: "category", data: labels, inverse: isLying === true };
  // A share ends at the whole, where an axis of its own would go on to 120 %.
  const most = unit === "percent" ? { max: 100 } : {};
  const values = { type: "value", min: 0, ...most, splitNumber: 4 };
  return {
    tones: lines.map((line) => line.tone),
    option: {
      grid: GRID,
      legend: { ...LEGEND, show: lines.length > 1 },
      tooltip: { ...AT_A_TIME, axisPointer: { type: "shadow" } },
      xAxis: isLying ? values : names,
      yAxis: isLying ? names : values,
      series: lines.map(({ name, values: data, stack }) => ({
        ...{ name, type: "bar", barMaxWidth: 26, data: data.map(rounded) },
        ...(stack === undefined ? {} : { stack }),
      })),
    },
  };
}

function heatData({ start, step, running, opens, bands, values }: HeatChart): Own {
  const cells = values.flatMap((row, band) =>
    // Coloured by the root, or one large cell would make all others look empty.
    row.flatMap((value, at) =>
      value ? [[at, band, rounded(value), rounded(Math.sqrt(value))]] : [],
    ),
  );
  const most = Math.max(1, ...cells.map(([, , , root]) => root as number));
  const buckets = Math.max(0, ...values.map((row) => row.length));
  return {
    ...{ start, step, running, tones: ["plain"] },
    ...(opens === undefined ? {} : { opens }),
    option: {
      grid: { ...GRID, top: 8, bottom: 26 },
      tooltip: { trigger: "item", renderMode: "richText", confine: true },
      xAxis: { type: "category", data: Array.from({ length: buckets }, (_, at) => at) },
      yAxis: { type: "category", data: bands },
      series: [{ type: "heatmap", data: cells, most }],
    },
  };
}

function radarData({ axes, lines }: RadarChart): Own {
  return {
    tones: lines.map((line) => line.tone),
    option: {
      legend: { ...LEGEND, show: lines.length > 1 },
      tooltip: { trigger: "item", renderMode: "richText", confine: true },
      radar: {
        indicator: axes.map(({ label, most }) => ({ name: label, max: Math.max(1, most) })),
        radius: "66%",
        center: ["50%", "56%"],
        splitNumber: 4,
      },
      series: [
        {
          type: "radar",
          symbolSize: 4,
          data: lines.map(({ name, values }) => ({
            name,
            value: values.map((v) => rounded(v ?? 0)),
          })),
        },
      ],
    },
  };
}

/** Four digits that count: more are neither seen nor worth their bytes. */
function rounded(value: number | null): number | null {
  if (value === null || Number.isInteger(value)) return value;
  return Number(value.toPrecision(4));
}
