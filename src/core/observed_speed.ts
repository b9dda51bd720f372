/**
 * How fast a worker's disk or network is, judged by the fastest that was seen: a heartbeat tells
 * what went through in its last second, which on an idle host says nothing about what could.
 */

/** A figure loses half its weight in an hour, so that a replaced disk is noticed. */
const HALF_LIFE_MS = 3_600_000;

/**
 * The new figure, in the unit of the old one.
 * @param before what was known, or null
 * @param latest what the newest heartbeat says, or null
 * @param elapsedMs since `before` was computed
 */
export function observedSpeed(
  before: number | null,
  latest: number | null,
  elapsedMs: number,
): number | null {
  if (before === null) return latest;
  const faded = before * 0.5 ** (Math.max(0, elapsedMs) / HALF_LIFE_MS);
  return latest === null ? faded : Math.max(faded, latest);
}
