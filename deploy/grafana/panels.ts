/** The ten panels, as Grafana reads them: where they stand, how they draw, what colours mean. */
import { QUERIES } from "./queries.ts";
import { plain, staleSteps, stepsOf } from "./thresholds.ts";

export const DATA_SOURCE = { type: "prometheus", uid: "$" + "{datasource}" };
const NAME = "{{organization}} / {{job_name}}";

interface Target {
  refId: string;
  expr: string;
  [option: string]: unknown;
}

const target = (refId: string, expr: string, legendFormat: string, more: object = {}): Target => ({
  ...{ refId, datasource: DATA_SOURCE, expr, legendFormat, editorMode: "code", range: true },
  ...more,
});
/** Of the whole range: one value, as of its end. */
const now = (refId: string, expr: string, legendFormat: string, more: object = {}): Target =>
  target(refId, expr, legendFormat, { range: false, instant: true, ...more });

const at = (x: number, y: number, w: number, h: number) => ({ x, y, w, h });
const reduce = { calcs: ["lastNotNull"], fields: "", values: false };
const table = (placement: string, ...calcs: string[]) => ({
  ...{ displayMode: "table", placement, showLegend: true, calcs },
});
const lines = (legend: object) => ({ legend, tooltip: { mode: "multi", sort: "desc" } });
/** Runs are rare: points are shown, and nothing is drawn across minutes without one. */
const drawn = (more: object = {}) => ({
  ...{ drawStyle: "line", lineWidth: 1, fillOpacity: 10, showPoints: "always", pointSize: 4 },
  ...{ spanNulls: false, ...more },
});
const property = (id: string, value: unknown) => ({ id, value });
const fixed = (color: string) => property("color", { mode: "fixed", fixedColor: color });
const named = (options: string, ...properties: object[]) => ({
  matcher: { id: "byName", options },
  properties,
});
const like = (options: string, ...properties: object[]) => ({
  matcher: { id: "byRegexp", options },
  properties,
});
const never = [
  { type: "value", options: { "-1": { text: "never", color: "red", index: 0 } } },
] as const;
const NO_DATA = { noValue: "No data" };

const overview = {
  ...{ type: "stat", title: "Job Execution Status Overview", gridPos: at(0, 0, 24, 4) },
  description: "Runs that ended well, and that failed, by the minute over the whole range.",
  targets: [
    now("A", QUERIES.successesPerMinute, "Success/min"),
    now("B", QUERIES.failuresPerMinute, "Failures/min"),
  ],
  fieldConfig: {
    defaults: { unit: "short", decimals: 2, thresholds: plain, ...NO_DATA },
    overrides: [named("Failures/min", property("thresholds", stepsOf("failures_per_minute")))],
  },
  options: { reduceOptions: reduce, colorMode: "value", graphMode: "none", textMode: "auto" },
};

const successRate = {
  ...{ type: "gauge", title: "Job Success Rate (%)", gridPos: at(0, 4, 8, 6) },
  description: "Runs that ended well, of all runs of the range. No data: nothing ran.",
  targets: [now("A", QUERIES.successRate, "Success Rate")],
  fieldConfig: {
    defaults: {
      ...{ unit: "percentunit", min: 0, max: 1, decimals: 1 },
      ...{ thresholds: stepsOf("success_rate"), ...NO_DATA },
    },
    overrides: [],
  },
  options: { reduceOptions: reduce, showThresholdLabels: true, showThresholdMarkers: true },
};

const queues = {
  ...{ type: "timeseries", title: "Job Queue Sizes", gridPos: at(8, 4, 16, 6) },
  description: "Jobs that are ready and wait for a slot.",
  targets: [target("A", QUERIES.queue, NAME)],
  fieldConfig: {
    defaults: {
      ...{ unit: "short", min: 0, decimals: 0, thresholds: stepsOf("queue_size"), ...NO_DATA },
      custom: drawn({ showPoints: "auto", thresholdsStyle: { mode: "dashed" } }),
    },
    overrides: [],
  },
  options: lines(table("right", "lastNotNull", "max")),
};

const runs = {
  ...{ type: "timeseries", title: "Job Execution Rate by Job", gridPos: at(0, 10, 12, 8) },
  description: "Runs by the minute, as they ended.",
  targets: [
    target("A", QUERIES.successes, `${NAME} (success)`),
    target("B", QUERIES.failures, `${NAME} (failed)`),
  ],
  fieldConfig: {
    defaults: { unit: "cpm", min: 0, custom: drawn({ showPoints: "auto" }), ...NO_DATA },
    overrides: [like("/\\(failed\\)$/", fixed("red"))],
  },
  options: lines(table("bottom", "lastNotNull", "mean")),
};

const durations = {
  ...{ type: "timeseries", title: "Job Duration (P95) by Job", gridPos: at(12, 10, 12, 8) },
  description: "95 % and half of the runs that ended at the time took no longer.",
  targets: [target("A", QUERIES.p95, `${NAME} (P95)`), target("B", QUERIES.p50, `${NAME} (P50)`)],
  fieldConfig: {
    defaults: {
      ...{ unit: "s", min: 0, thresholds: stepsOf("duration_p95_seconds"), ...NO_DATA },
      custom: drawn({ thresholdsStyle: { mode: "dashed" } }),
    },
    overrides: [like("/\\(P50\\)$/", property("custom.fillOpacity", 0))],
  },
  options: lines(table("bottom", "lastNotNull", "max")),
};

const staleness = {
  ...{ type: "stat", title: "Time Since Last Successful Run", gridPos: at(0, 18, 24, 5) },
  description:
    "Minutes. Colours do not know how often a job is to run: the board and the alerts do. " +
    '"never": it failed, and has not ended well yet.',
  targets: [now("A", QUERIES.sinceSuccess, NAME)],
  fieldConfig: {
    defaults: { unit: "m", decimals: 0, mappings: never, thresholds: staleSteps, ...NO_DATA },
    overrides: [],
  },
  options: { reduceOptions: reduce, colorMode: "background", graphMode: "none", textMode: "auto" },
};

const items = {
  ...{ type: "timeseries", title: "Items Processed Rate by Job", gridPos: at(0, 23, 12, 8) },
  description: "Items by the minute, as runs that ended have counted them.",
  targets: [target("A", QUERIES.items, `${NAME} ({{status}})`)],
  fieldConfig: {
    defaults: { unit: "cpm", min: 0, custom: drawn({ showPoints: "auto" }), ...NO_DATA },
    overrides: [like("/\\(failed\\)$/", fixed("red")), like("/\\(skipped\\)$/", fixed("yellow"))],
  },
  options: lines(table("bottom", "lastNotNull", "mean")),
};

const failureRate = {
  ...{ type: "bargauge", title: "Job Failure Rate by Job", gridPos: at(12, 23, 12, 8) },
  description: "Runs that failed, of all runs of the range.",
  targets: [now("A", `sort_desc(${QUERIES.failureRate})`, NAME)],
  fieldConfig: {
    defaults: {
      ...{ unit: "percentunit", min: 0, max: 1, decimals: 1 },
      ...{ thresholds: stepsOf("failure_rate"), ...NO_DATA },
    },
    overrides: [],
  },
  options: {
    ...{ reduceOptions: reduce, orientation: "horizontal", displayMode: "gradient" },
    showUnfilled: true,
  },
};

const heatmap = {
  ...{ type: "heatmap", title: "Job Execution Heatmap", gridPos: at(0, 31, 24, 8) },
  description: "How many runs took how long.",
  targets: [target("A", QUERIES.heat, "{{le}}", { format: "heatmap" })],
  fieldConfig: { defaults: { custom: {}, ...NO_DATA }, overrides: [] },
  options: {
    calculate: false,
    color: { mode: "scheme", scheme: "Spectral", steps: 64, reverse: true, exponent: 0.5 },
    ...{ yAxis: { unit: "s", axisPlacement: "left" }, cellGap: 1, rowsFrame: { layout: "auto" } },
    ...{ filterValues: { le: 1e-9 }, tooltip: { mode: "single" }, legend: { show: true } },
  },
};

const cell = property("custom.cellOptions", { type: "color-background", mode: "basic" });
const cells = { format: "table" };
/** Grafana calls a value by the query that it came from. */
const COLUMNS = {
  organization: "Organization",
  job_name: "Job Name",
  "Value #A": "Success/min",
  "Value #B": "Failures/min",
  "Value #C": "P95 Duration (s)",
  "Value #D": "Time Since Success (min)",
};

const details = {
  ...{ type: "table", title: "Job Execution Details Table", gridPos: at(0, 39, 24, 8) },
  description: "Every job of the range. An empty cell: nothing is known.",
  targets: [
    now("A", QUERIES.successesOfEach, "", cells),
    now("B", QUERIES.failuresOfEach, "", cells),
    now("C", QUERIES.p95OfEach, "", cells),
    now("D", QUERIES.sinceSuccess, "", cells),
  ],
  transformations: [
    { id: "merge", options: {} },
    {
      id: "organize",
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(Object.keys(COLUMNS).map((name, index) => [name, index])),
        renameByName: COLUMNS,
      },
    },
  ],
  fieldConfig: {
    defaults: { custom: { align: "auto", filterable: true }, thresholds: plain },
    overrides: [
      named("Success/min", property("decimals", 2)),
      named(
        "Failures/min",
        ...[property("decimals", 2), cell],
        property("thresholds", stepsOf("failures_per_minute")),
      ),
      named(
        "P95 Duration (s)",
        ...[property("unit", "s"), property("decimals", 1), cell],
        property("thresholds", stepsOf("duration_p95_seconds")),
      ),
      named(
        "Time Since Success (min)",
        ...[property("unit", "m"), property("decimals", 0), cell],
        ...[property("thresholds", staleSteps), property("mappings", never)],
      ),
    ],
  },
  options: {
    showHeader: true,
    cellHeight: "sm",
    sortBy: [{ displayName: "Failures/min", desc: true }],
  },
};

export interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: Target[];
}

export const PANELS: readonly Panel[] = [
  ...[overview, successRate, queues, runs, durations],
  ...[staleness, items, failureRate, heatmap, details],
].map((panel, index) => ({ id: index + 1, datasource: DATA_SOURCE, ...panel }));
