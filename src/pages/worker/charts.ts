/** The charts of one worker. Where it was away, lines have gaps. */
import type { Point } from "../../core/metrics/series.ts";
import type { TimeRange } from "../../core/metrics/time_range.ts";
import {
  type ChartUnit,
  meanOf,
  mostOf,
  type TimeChart,
  timeChart,
} from "../../web/charts/chart.ts";
import type { KnownWorker, WorkerSeries } from "../../web/fleet/one_worker.ts";
import { mebibytes } from "../../web/format.ts";
import type { Series } from "../../web/metrics/read_series.ts";

const leastOf = (point: Point) => point.least;
const EMPTY = "Its host told nothing in this time: it was away, or idle.";

interface Drawn {
  id: string;
  title: string;
  sentence: string;
  unit: ChartUnit;
  series: Series;
}

function meanAndPeak(range: TimeRange, { series, ...about }: Drawn): TimeChart {
  return timeChart({ ...about, empty: EMPTY }, range, [
    { name: "Mean", series, pick: meanOf, style: "area" },
    { name: "Peak", series, pick: mostOf, tone: "second" },
  ]);
}

export function workerCharts(
  range: TimeRange,
  { cpu, ramFree, disk, network, used, offered }: WorkerSeries,
  { ramTotalMb }: KnownWorker,
): TimeChart[] {
  const total = ramTotalMb === null ? "" : `, of ${mebibytes(ramTotalMb)}`;
  const slots = {
    ...{ id: "slots", title: "Slots", unit: "count" as const },
    sentence: "Slots that held an attempt, and slots offered; the mean.",
    empty: "It was not connected in this time, or never looked at.",
  };
  const ram = {
    ...{ id: "ram", title: "Free RAM", unit: "mebibytes" as const, empty: EMPTY },
    sentence: `Free memory of its host${total}.`,
  };
  return [
    timeChart(slots, range, [
      { name: "Used", series: used, pick: meanOf, style: "area" },
      { name: "Offered", series: offered, pick: meanOf, tone: "muted" },
    ]),
    meanAndPeak(range, {
      ...{ id: "cpu", title: "CPU", unit: "percent", series: cpu },
      sentence: "Processor use of its host.",
    }),
    timeChart(ram, range, [
      { name: "Mean", series: ramFree, pick: meanOf, style: "area" },
      { name: "Least", series: ramFree, pick: leastOf, tone: "second" },
    ]),
    meanAndPeak(range, {
      ...{ id: "disk", title: "Disk", unit: "megabytes_per_second", series: disk },
      sentence: "What its host reads from and writes to disks.",
    }),
    meanAndPeak(range, {
      ...{ id: "network", title: "Network", unit: "megabits_per_second", series: network },
      sentence: "What its host sends and receives.",
    }),
  ];
}
