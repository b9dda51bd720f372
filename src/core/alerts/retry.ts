/** When a message that did not arrive is sent again, and when it is given up. Pure. */

export const GIVE_UP_MS = 24 * 3_600_000;
const FIRST_MS = 15_000;
const LONGEST_MS = 3_600_000;

/**
 * Milliseconds until the next try after `attempts` of them, null where it is given up.
 * @param chance 0 to 1: servers that come back are not all asked at once
 */
export function retryAfter(attempts: number, ageMs: number, chance: number): number | null {
  if (ageMs >= GIVE_UP_MS) return null;
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, attempts - 1));
  return Math.round(full * (0.75 + chance / 4));
}
