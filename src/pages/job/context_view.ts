/** Frozen contexts as tables: any object becomes labelled rows with units told by the key. Pure. */
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
  return rowsOf(context, "").slice(0, ROWS_MAX);
}

function rowsOf(object: Record<string, unknown>, prefix: string): ContextRow[] {
  return Object.entries(object).flatMap(([key, value]) => {
    const path = prefix === "" ? key : `${prefix} ${key}`;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      const rows = rowsOf(value as Record<string, unknown>, path);
      return rows.length > 0 ? rows : [{ label: label(path), value: "none", unknown: false }];
    }
    return [{ label: label(path), value: print(key, value), unknown: value === null }];
  });
}

/** The unit moves from the key into the value. */
function label(path: string): string {
  const words = path.replace(/_(mb|ms|bytes|mbps|pct|seconds|rate)$/, "");
  return headline(words)
    .replace(/\bram\b/gi, "RAM")
    .replace(/\bcpus?\b/gi, (word) => word.toUpperCase().replace("CPUS", "CPUs"))
    .replace(/\boom\b/gi, "OOM");
}

function print(key: string, value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) {
    return value.length === 0 ? "none" : value.map((item) => plain(item)).join(", ");
  }
  if (typeof value !== "number") return plain(value);
  if (key.endsWith("_mb")) return mebibytes(value);
  if (key.endsWith("_ms")) return duration(value);
  if (key.endsWith("_bytes")) return bytes(value);
  if (key.endsWith("_pct")) return `${decimal(value, 1)} %`;
  if (key.endsWith("_rate")) return percent(value);
  if (key.endsWith("_seconds")) return duration(value * 1000);
  if (key === "disk_mbps") return `${decimal(value, 1)} MB/s`;
  if (key.endsWith("_mbps")) return `${decimal(value, 1)} Mbit/s`;
  return Number.isInteger(value) ? count(value) : decimal(value, 2);
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
