/** A chart's figures as a table: for a spreadsheet, for programs, and for whoever listens to the page. */
import { csvLine } from "../csv.ts";
import type { Chart } from "./chart.ts";

export interface ChartTable {
  columns: string[];
  rows: (string | number | null)[][];
}

export function tableOf(chart: Chart): ChartTable {
  if (chart.kind === "time") {
    const { start, step, lines } = chart;
    const length = Math.max(0, ...lines.map((line) => line.values.length));
    return {
      columns: ["bucket_start", ...lines.map((line) => line.name)],
      rows: Array.from({ length }, (_, at) => [
        new Date(start + at * step).toISOString(),
        ...lines.map((line) => line.values[at] ?? null),
      ]),
    };
  }
  if (chart.kind === "heat") {
    const { start, step, bands, values } = chart;
    const length = Math.max(0, ...values.map((row) => row.length));
    return {
      columns: ["bucket_start", ...bands],
      rows: Array.from({ length }, (_, at) => [
        new Date(start + at * step).toISOString(),
        ...values.map((row) => row[at] ?? null),
      ]),
    };
  }
  const labels = chart.kind === "bars" ? chart.labels : chart.axes.map((axis) => axis.label);
  return {
    columns: ["", ...chart.lines.map((line) => line.name)],
    rows: labels.map((label, at) => [label, ...chart.lines.map((line) => line.values[at] ?? null)]),
  };
}

export function csvOf({ columns, rows }: ChartTable): string {
  return [columns, ...rows].map(csvLine).join("");
}
