/** Frozen contexts as tables: any object becomes labelled rows with units told by the key. Pure. */
import { WINDOW_NAMES } from "../../core/metrics/windows.ts";
import { bytes, count, decimal, duration, mebibytes, percent } from "../../web/format.ts";
import { headline } from "../../web/words.ts";

export interface ContextRow {
  label: string;
  value: string;
  /** Unknown at the time, which is not the same as zero. */
  unknown: boolean;
}

const ROWS_MAX = 80;

export function contextRows(context: Record<string, unknown> | null): ContextRow[] {
  if (!context) return [];
  const { windows: _, ...rest } = context;
  return rowsOf(rest, "").slice(0, ROWS_MAX);
}

export interface WindowRow {
  label: string;
  /** In the order of the windows, the shortest first. */
  cells: { value: string; unknown: boolean }[];
}

/** Figures in the order in which they are read; the database keeps none. */
const WINDOW_LABELS: Readonly<Record<string, string>> = {
  completed: "Jobs completed",
  failure_share: "Of these failed",
  wait_seconds: "Mean wait in line",
  start_latency_ms: "Mean start latency",
  run_ms: "Mean run time",
  cpu_ms: "Mean CPU time",
  ram_mb: "Mean peak RAM",
  disk_bytes: "Mean disk",
  network_mbps: "Mean network",
};

/** What was usual on the instance over its three windows; of dispatches before there were any, nothing. */
export function windowRows(context: Record<string, unknown> | null): WindowRow[] {
  const windows = (context?.windows ?? {}) as Record<string, Record<string, unknown> | undefined>;
  return Object.entries(WINDOW_LABELS).flatMap(([key, label]) => {
    const figure = windows[key];
    if (!figure) return [];
    const cells = WINDOW_NAMES.map((name) => {
      const value = figure[name] ?? null;
      return { value: value === null ? "–" : print(key, value), unknown: value === null };
    });
    return [{ label, cells }];
  });
}

function rowsOf(object: Record<string, unknown>, prefix: string): ContextRow[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const key = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
    const path = prefix === "" ? key : `${prefix}_${key}`;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      const rows = rowsOf(value as Record<string, unknown>, path);
      return rows.length > 0 ? rows : [{ label: label(path), value: "none", unknown: false }];
    }
    return [{ label: label(path), value: print(key, value), unknown: value === null }];
  });
}

/** The unit moves from the key into the value. */
function label(path: string): string {
  return headline(
    path.replace(/_(mb|ms|bytes|mbps|pct|seconds)$/, "").replace(/^averages_/, "mean_"),
  );
}

/** By the last word of the key; the first that fits. */
const UNITS: readonly (readonly [RegExp, (value: number) => string])[] = [
  [/_mb$/, mebibytes],
  [/_ms$/, duration],
  [/_bytes$/, bytes],
  [/_pct$/, (value) => `${decimal(value, 1)} %`],
  [/_(rate|share)$/, percent],
  [/_seconds$/, (value) => duration(value * 1000)],
  [/^disk_mbps$/, (value) => `${decimal(value, 1)} MB/s`],
  [/_mbps$/, (value) => `${decimal(value, 1)} Mbit/s`],
];

function print(key: string, value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) {
    return value.length === 0 ? "none" : value.map((item) => plain(item)).join(", ");
  }
  if (typeof value !== "number") return plain(value);
  const unit = UNITS.find(([pattern]) => pattern.test(key));
  if (unit) return unit[1](value);
  return Number.isInteger(value) ? count(value) : decimal(value, 2);
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
