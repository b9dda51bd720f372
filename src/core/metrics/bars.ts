/** A histogram of equally wide bins as a few bars with round edges, for people to look at. Pure. */
import type { Histogram } from "./histogram.ts";

/** Values from `lo` up to, and not including, `hi`. */
export interface Bar {
  lo: number;
  hi: number;
  count: number;
}

const STEPS = [1, 2, 5];
/** Of all values, that lie below and above the middle part. */
const TAIL = 0.05;
/** Tails that would make bars so many times as wide are put into one bar each. */
const WIDER_MAX = 4;

/**
 * Bars without gaps from the first value to the last, as wide as each other: 1, 2, 5, 10, … bins. Where a
 * few values lie far away, the first and the last bar reach out to them, and the others show the
 * rest as finely as they can. `ends` are the exact ends, which outermost bins may not tell.
 */
export function barsOf(
  { bins, hits }: Histogram,
  ends: { least: number | null; most: number | null },
  barsMax: number,
): Bar[] {
  if (bins.length === 0) return [];
  const [first, last] = [bins[0]!, bins.at(-1)!];
  const [low, high] = middleOf({ bins, hits });
  const whole = widthFor(first, last, barsMax);
  const fine = widthFor(low, high, barsMax - 2);
  const isTailed = whole > fine * WIDER_MAX;
  const width = isTailed ? fine : whole;
  const place = (bin: number) => Math.floor(bin / width);
  const start = isTailed ? Math.max(place(first), place(low) - 1) : place(first);
  const end = isTailed ? Math.min(place(last), place(high) + 1) : place(last);
  const bars = Array.from({ length: end - start + 1 }, (_, at) => {
    return { lo: (start + at) * width, hi: (start + at + 1) * width, count: 0 };
  });
  for (const [at, bin] of bins.entries()) {
    bars[Math.min(end, Math.max(start, place(bin))) - start]!.count += hits[at]!;
  }
  const [lowest, highest] = [bars[0]!, bars.at(-1)!];
  lowest.lo = Math.min(lowest.lo, Math.floor(ends.least ?? lowest.lo));
  highest.hi = Math.max(highest.hi, Math.floor(ends.most ?? 0) + 1);
  return bars;
}

/** Between which bins lie all but the tails. */
function middleOf({ bins, hits }: Histogram): [number, number] {
  const total = hits.reduce((sum, n) => sum + n, 0);
  const binAt = (rank: number) => {
    let seen = 0;
    for (const [at, bin] of bins.entries()) {
      seen += hits[at]!;
      if (seen >= rank) return bin;
    }
    return bins.at(-1)!;
  };
  const rest = Math.floor(total * TAIL);
  return [binAt(rest + 1), binAt(total - rest)];
}

function widthFor(first: number, last: number, barsMax: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of STEPS) {
      const width = step * power;
      if (Math.floor(last / width) - Math.floor(first / width) < barsMax) return width;
    }
  }
}
