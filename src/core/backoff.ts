/** How long a job waits after a failure (engine rule 16). */

export interface Backoff {
  base_seconds: number;
  factor: number;
  max_seconds: number;
}

/** What a job gets that names no backoff of its own. */
export const DEFAULT_BACKOFF: Readonly<Backoff> = {
  base_seconds: 10,
  factor: 2,
  max_seconds: 3600,
};

/**
 * Milliseconds: min(max, base × factor^(failures − 1)) × (0.5 … 1).
 * The jitter only shortens, so `max_seconds` is a promise; half the time is always waited.
 * @param failures failures so far, this one included; 0 counts as 1
 * @param random from 0 to 1, as `Math.random()` gives it
 */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  const grown = backoff.base_seconds * backoff.factor ** (Math.max(1, failures) - 1);
  // base 0 times a factor that has grown to Infinity is NaN; such a job does not wait at all.
  const seconds = Number.isNaN(grown) ? 0 : Math.min(backoff.max_seconds, grown);
  return seconds * 1000 * (0.5 + 0.5 * random);
}
