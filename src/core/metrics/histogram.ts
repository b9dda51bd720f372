/**
 * Histograms whose bins grow by a constant factor, so that any of them can be added to any other and
 * still tell a percentile within one percent of its value (Masson, Rim, Lee: DDSketch, 2019).
 *
 * Bin 0 holds zero; bin i > 0 holds values from edge(i − 1), excluded, to edge(i); bin −i the
 * same below zero. Metrics with a `binWidth` have equally wide bins instead: bin i begins at i × width.
 * `db/statements/rollups` bins by the same formula in SQL, and a test holds the two against each other.
 */

/** The greatest relative error of a percentile. */
export const ERROR = 0.01;
/** From one edge to the next: (1 + error) ÷ (1 − error). */
export const GROWTH = (1 + ERROR) / (1 - ERROR);
/** Up to here values count as one: a tenth of a millisecond, of a MiB, of a byte. */
export const LEAST = 0.1;
/** What two bytes hold. */
export const BIN_MAX = 32_000;

/** Bins in rising order, with how many values each holds. */
export interface Histogram {
  bins: readonly number[];
  hits: readonly number[];
}

export const EMPTY: Histogram = { bins: [], hits: [] };

export function binOf(value: number, width?: number): number {
  if (width !== undefined) return clampBin(Math.floor(value / width));
  if (value === 0) return 0;
  const steps = Math.ceil(Math.log(Math.abs(value) / LEAST) / Math.log(GROWTH));
  return Math.sign(value) * Math.min(BIN_MAX, Math.max(1, steps));
}

/** The value that stands for a whole bin: at most `ERROR` away from each that it holds. */
export function middleOf(bin: number, width?: number): number {
  if (width !== undefined) return (bin + 0.5) * width;
  if (bin === 0) return 0;
  const middle = (LEAST * GROWTH ** Math.abs(bin) * 2) / (1 + GROWTH);
  return Math.sign(bin) * middle;
}

export function histogramOf(values: Iterable<number>, width?: number): Histogram {
  const counts = new Map<number, number>();
  for (const value of values) {
    const bin = binOf(value, width);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return sorted(counts);
}

/** Bins side by side are counted in a row of places; beyond so many, which no real durations need, in a map. */
const SPAN_MAX = 4_096;

/** A page adds up thousands: with a map for each they were a fifth of its time. */
export function mergeHistograms(parts: Iterable<Histogram>): Histogram {
  const some = [...parts].filter(({ bins }) => bins.length > 0);
  if (some.length <= 1) return some[0] ?? EMPTY;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { bins } of some) {
    low = Math.min(low, bins[0]!);
    high = Math.max(high, bins.at(-1)!);
  }
  return high - low < SPAN_MAX ? mergedInRow(some, low, high) : mergedByMap(some);
}

function mergedInRow(parts: readonly Histogram[], low: number, high: number): Histogram {
  const counts = new Float64Array(high - low + 1);
  for (const { bins, hits } of parts) {
    for (let at = 0; at < bins.length; at += 1) counts[bins[at]! - low]! += hits[at]!;
  }
  const [bins, hits]: [number[], number[]] = [[], []];
  for (let at = 0; at < counts.length; at += 1) {
    if (counts[at] === 0) continue;
    bins.push(at + low);
    hits.push(counts[at]!);
  }
  return { bins, hits };
}

function mergedByMap(parts: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  for (const { bins, hits } of parts) {
    for (let at = 0; at < bins.length; at += 1) {
      counts.set(bins[at]!, (counts.get(bins[at]!) ?? 0) + hits[at]!);
    }
  }
  return sorted(counts);
}

/** The exact ends, which no percentile leaves, and how wide bins are where all are equal. */
export interface Ends {
  least: number | null;
  most: number | null;
  width?: number | undefined;
}

/**
 * The nearest-rank percentile, null of nothing.
 * @param share 0 to 1
 */
export function percentile(histogram: Histogram, share: number, ends: Ends): number | null {
  return percentiles(histogram, [share], ends)[0]!;
}

/** Several in one pass. @param shares in rising order */
export function percentiles(
  { bins, hits }: Histogram,
  shares: readonly number[],
  { least, most, width }: Ends,
): (number | null)[] {
  let total = 0;
  for (const n of hits) total += n;
  if (total === 0) return shares.map(() => null);
  let [at, seen] = [0, hits[0]!];
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total));
    while (seen < rank && at < bins.length - 1) {
      at += 1;
      seen += hits[at]!;
    }
    if (seen < rank) return most;
    const value = middleOf(bins[at]!, width);
    return Math.min(most ?? value, Math.max(least ?? value, value));
  });
}

function sorted(counts: Map<number, number>): Histogram {
  const bins = [...counts.keys()].sort((a, b) => a - b);
  return { bins, hits: bins.map((bin) => counts.get(bin)!) };
}

function clampBin(bin: number): number {
  return Math.min(BIN_MAX, Math.max(-BIN_MAX, bin));
}
