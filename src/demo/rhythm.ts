/** How brisk work is: a day with a morning, a lunch and a quiet night. Pure. */

/** Of a demo: long enough for bursts and calm phases, short enough to see both. */
export const DEMO_DAY_MS = 12 * 60_000;
export const DAY_MS = 86_400_000;

const NIGHT = 0.25;
const SHARPNESS = 1.6;

/**
 * About 1 on the mean of a day, a quarter of that at night, twice as much at noon.
 * @param morning when the day begins, as a part of it
 */
export function tempoAt(ms: number, morning: number, dayMs: number): number {
  const hour = (((ms / dayMs - morning) % 1) + 1) % 1;
  // The sun stands above the horizon for two thirds of the day.
  const height = hour < 2 / 3 ? Math.sin((hour * 3 * Math.PI) / 2) : 0;
  const lunch = Math.abs(hour - 0.33) < 0.03 ? 0.75 : 1;
  return NIGHT + SHARPNESS * height ** 1.3 * lunch;
}

/** The pause until the next of what comes on the mean every so often, by chance (a Poisson process). */
export function pauseMs(everySeconds: number, tempo: number, chance: number): number {
  const mean = (everySeconds * 1000) / tempo;
  return Math.min(mean * 3, -Math.log(1 - chance) * mean);
}
