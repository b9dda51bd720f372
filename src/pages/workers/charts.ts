/** The charts of the fleet. */
import { type Load, loadPercent } from "../../core/fleet_load.ts";
import { BUCKET_MS, bucketStart, countBuckets } from "../../core/metrics/buckets.ts";
import type { TimeRange } from "../../core/metrics/time_range.ts";
import {
  type BarChart,
  meanOf,
  type RadarChart,
  type TimeChart,
  type Tone,
  timeChart,
} from "../../web/charts/chart.ts";
import type { FleetTrend } from "../../web/fleet/fleet_trend.ts";
import type { Utilisation } from "../../web/fleet/utilisation.ts";
import type { Series } from "../../web/metrics/read_series.ts";
import { loadLabel } from "./view.ts";

const NOBODY =
  "No worker was connected in this time. Start one: npx signalbox worker --url ws://HOST:PORT";

/** Connected and draining; what they can. */
export function fleetCharts(
  range: TimeRange,
  [connected, draining, exec, handlers]: readonly Series[],
): [TimeChart, TimeChart] {
  const about = { unit: "count", empty: NOBODY } as const;
  const fleet = {
    ...{ ...about, id: "fleet", title: "Connected workers" },
    sentence: "Workers with an open connection, and those of them that take no new jobs; the mean.",
  };
  const capability = {
    ...{ ...about, id: "capabilities", title: "What they can run" },
    sentence: "Connected workers that run commands, and those that have handlers; the mean.",
  };
  return [
    timeChart(fleet, range, [
      { name: "Connected", series: connected!, pick: meanOf, style: "area" },
      { name: "Draining", series: draining!, pick: meanOf, tone: "second" },
    ]),
    timeChart(capability, range, [
      { name: "Commands", series: exec!, pick: meanOf },
      { name: "Handlers", series: handlers!, pick: meanOf, tone: "third" },
    ]),
  ];
}

const TONES: readonly Tone[] = ["plain", "second", "third", "fourth", "good", "bad", "muted"];

/** `now` tells which bucket is still running. */
export function trendChart(
  by: "pool" | "system",
  { span, lines }: FleetTrend,
  now: number,
): TimeChart {
  const running = countBuckets(span.granularity, span.from, now) - 1;
  return {
    ...{ kind: "time", id: `${by}s`, unit: "count", empty: NOBODY },
    ...{ start: span.from, step: BUCKET_MS[span.granularity] },
    running: bucketStart(span.granularity, now) >= span.to ? null : running,
    title: `Connected workers by ${by}`,
    sentence: `The mean per ${span.granularity}, by the ${by} that each worker says now or said last.`,
    lines: lines.map(({ key, isRest, values }, at) => ({
      name: isRest ? "Others" : (key ?? "Not told"),
      ...{ values, style: "line", tone: TONES[at] ?? "muted" },
    })),
  };
}

export function utilisationBars(workers: readonly Utilisation[]): BarChart {
  return {
    ...{ kind: "bars", id: "utilisation", title: "Slot utilisation", unit: "percent" },
    sentence: "Slots that held an attempt, of the slots offered while the worker was connected.",
    empty: "No slot held an attempt in this time. Take a longer range, or submit a job.",
    labels: workers.map((worker) => worker.label),
    lines: [{ name: "Used", tone: "plain", values: workers.map((worker) => worker.percent) }],
    isLying: true,
  };
}

/** More corners than this cannot be told apart. */
const CORNERS_MAX = 16;

export function loadRadar(loads: readonly Load[]): RadarChart {
  const shown = loads.slice(0, CORNERS_MAX);
  return {
    ...{ kind: "radar", id: "load", title: "Load by capability, now", unit: "percent" },
    sentence:
      "Slots in use of the slots of ready workers with each system, pool and kind of job. A slot takes any kind that its worker can.",
    empty: "No slot of a ready worker is in use now.",
    axes: shown.map((load) => ({ label: loadLabel(load), most: 100 })),
    lines: [{ name: "Load", tone: "plain", values: shown.map(loadPercent) }],
  };
}
