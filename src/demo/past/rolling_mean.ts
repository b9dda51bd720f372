/**
 * The mean of what happened within a window, such as the last hour, in a fixed amount of memory:
 * the window is cut into slices, and a slice is forgotten whole when it has passed.
 */

export interface RollingMean {
  readonly sliceMs: number;
  readonly counts: number[];
  readonly sums: number[];
  /** Number of the newest slice, counted from the epoch. */
  newest: number;
}

/** @param slices how many slices the window has; more are smoother and cost more */
export function createRollingMean(windowMs: number, slices = 60): RollingMean {
  const zeros = () => new Array<number>(slices).fill(0);
  return { sliceMs: windowMs / slices, counts: zeros(), sums: zeros(), newest: -Infinity };
}

/** A value older than the window, or not a finite number, is left out. */
export function addToMean(rolling: RollingMean, nowMs: number, value: number): void {
  if (!Number.isFinite(value)) return;
  const slice = Math.floor(nowMs / rolling.sliceMs);
  advance(rolling, slice);
  const slices = rolling.counts.length;
  if (slice <= rolling.newest - slices) return;
  const at = ((slice % slices) + slices) % slices;
  rolling.counts[at]! += 1;
  rolling.sums[at]! += value;
}

/** Null where nothing happened within the window. */
export function readMean(rolling: RollingMean, nowMs: number): number | null {
  const { count, sum } = readTotal(rolling, nowMs);
  return count === 0 ? null : sum / count;
}

/** How much happened within the window. */
export function readTotal(rolling: RollingMean, nowMs: number): { count: number; sum: number } {
  advance(rolling, Math.floor(nowMs / rolling.sliceMs));
  let count = 0;
  let sum = 0;
  for (let at = 0; at < rolling.counts.length; at += 1) {
    count += rolling.counts[at]!;
    sum += rolling.sums[at]!;
  }
  return { count, sum };
}

/** Empties the slices between the newest and `slice`; a clock that steps back changes nothing. */
function advance(rolling: RollingMean, slice: number): void {
  if (slice <= rolling.newest) return;
  const slices = rolling.counts.length;
  const first = Math.max(rolling.newest + 1, slice - slices + 1);
  for (let passed = first; passed <= slice; passed += 1) {
    const at = ((passed % slices) + slices) % slices;
    rolling.counts[at] = 0;
    rolling.sums[at] = 0;
  }
  rolling.newest = slice;
}
