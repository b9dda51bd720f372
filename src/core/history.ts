/**
 * What the last attempts of a name used: the newest 200 samples of each figure, and what scoring
 * reads from them. A figure that could not be measured leaves no sample; unknown is never 0.
 */
import type { NameHistory } from "./scoring/context.ts";

export const SAMPLES_MAX = 200;
/** Below this many samples a 95th percentile says little: the maximum stands in. */
export const PERCENTILE_MIN = 20;

/** Oldest first. The lists may differ in length. */
export interface NameSamples {
  /** Attempts ever seen, also those without any figure. */
  samples: number;
  run_ms: number[];
  peak_ram_mb: number[];
  cpu_ms: number[];
  disk_bytes: number[];
  network_mbps: number[];
  /** 1 where the kernel killed the attempt for memory, else 0. */
  oom: number[];
}

/** One attempt's usage. Absent or null: not measured. */
export interface UsageSample {
  run_ms?: number | null | undefined;
  peak_ram_mb?: number | null | undefined;
  cpu_ms?: number | null | undefined;
  /** Read and written together. */
  disk_bytes?: number | null | undefined;
  network_mbps?: number | null | undefined;
  oom?: boolean | null | undefined;
}

/** One for all: most names of ten thousand have samples of one figure, of six. */
const NONE: number[] = Object.freeze([] as number[]) as number[];

export function emptySamples(): NameSamples {
  return {
    samples: 0,
    run_ms: NONE,
    peak_ram_mb: NONE,
    cpu_ms: NONE,
    disk_bytes: NONE,
    network_mbps: NONE,
    oom: NONE,
  };
}

/** Adds one attempt in place; the oldest sample of a full list goes. */
export function addSample(history: NameSamples, sample: UsageSample): void {
  history.samples += 1;
  history.run_ms = added(history.run_ms, sample.run_ms);
  history.peak_ram_mb = added(history.peak_ram_mb, sample.peak_ram_mb);
  history.cpu_ms = added(history.cpu_ms, sample.cpu_ms);
  history.disk_bytes = added(history.disk_bytes, sample.disk_bytes);
  history.network_mbps = added(history.network_mbps, sample.network_mbps);
  history.oom = added(history.oom, typeof sample.oom === "boolean" ? Number(sample.oom) : null);
}

/**
 * The figures that scoring reads. Sorts up to 200 numbers: ask again after a while, not after every
 * sample.
 */
export function summarize(history: NameSamples): NameHistory {
  return {
    samples: history.samples,
    ramP95Mb:
      history.peak_ram_mb.length < PERCENTILE_MIN
        ? maximum(history.peak_ram_mb)
        : percentile(history.peak_ram_mb, 0.95),
    ramMaxMb: maximum(history.peak_ram_mb),
    cpuMs: mean(history.cpu_ms),
    // Attempts that never touched the disk say nothing about how much it matters to those that do.
    diskBytes: mean(positive(history.disk_bytes)),
    networkMbps: mean(history.network_mbps),
    runMs: mean(history.run_ms),
    oomRate: mean(history.oom),
  };
}

/**
 * The same for a frozen context, coarser: names that used about the same are one context. Two digits
 * of what the rules read; one of the others, which grow or vary with every attempt.
 */
export function coarse(history: NameHistory): NameHistory {
  return {
    samples: digits(history.samples, 1),
    ramP95Mb: digits(history.ramP95Mb, 2),
    ramMaxMb: digits(history.ramMaxMb, 1),
    cpuMs: digits(history.cpuMs, 2),
    diskBytes: digits(history.diskBytes, 2),
    networkMbps: digits(history.networkMbps, 2),
    runMs: digits(history.runMs === null ? null : Math.round(history.runMs), 1),
    oomRate: digits(history.oomRate ?? null, 2),
  };
}

/** Whether two are the same figures. */
export function isSameHistory(a: NameHistory, b: NameHistory): boolean {
  return (
    a.samples === b.samples &&
    a.ramP95Mb === b.ramP95Mb &&
    a.ramMaxMb === b.ramMaxMb &&
    a.cpuMs === b.cpuMs &&
    a.diskBytes === b.diskBytes &&
    a.networkMbps === b.networkMbps &&
    a.runMs === b.runMs &&
    a.oomRate === b.oomRate
  );
}

/** Beyond these, powers of ten are no numbers any more, and no figure of ours. */
const SMALLEST = 1e-100;
const LARGEST = 1e100;

/** As `toPrecision` does, which goes by way of a text and takes ten times as long. Not below 0. */
export function digits<T extends number | null>(value: T, count: number): T {
  if (value === null || value < SMALLEST || value > LARGEST) return value;
  const exponent = Math.floor(Math.log10(value)) - count + 1;
  // A power of ten below 1 is not exact: divided by its inverse, a result is as it would be read.
  const rounded =
    exponent < 0
      ? Math.round(value * 10 ** -exponent) / 10 ** -exponent
      : Math.round(value / 10 ** exponent) * 10 ** exponent;
  return rounded as T;
}

/** Nearest rank: the smallest value that at least `share` of all do not exceed. Null for none. */
export function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1]!;
}

export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function positive(values: readonly number[]): readonly number[] {
  return values.every((value) => value > 0) ? values : values.filter((value) => value > 0);
}

function maximum(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  let most = values[0]!;
  for (const value of values) if (value > most) most = value;
  return most;
}

/** The list with one sample more: itself, unless it was the empty one of all. */
function added(list: number[], value: number | null | undefined): number[] {
  if (value === null || value === undefined || !Number.isFinite(value) || value < 0) return list;
  if (list.length === 0) return [value];
  if (list.length >= SAMPLES_MAX) list.splice(0, list.length - SAMPLES_MAX + 1);
  list.push(value);
  return list;
}
