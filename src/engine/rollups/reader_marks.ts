/** Which marks of the history a reader keeps, and what they bound. Pure. See `Mark`. */
import type { Mark } from "../../db/statements/rollups/progress.ts";

/** Ids up to here cannot be of transactions from `horizon` on. */
export function floorOf(marks: readonly Mark[], horizon: string): number {
  let floor = 0;
  for (const mark of marks) {
    if (BigInt(mark.next) <= BigInt(horizon)) floor = Math.max(floor, mark.ids);
  }
  return floor;
}

/** Of those that bound the next read already the best, and all that will bound a later one. */
export function keepMarks(marks: readonly Mark[], horizon: string, max: number): Mark[] {
  const past = marks.filter((mark) => BigInt(mark.next) <= BigInt(horizon));
  const coming = marks.filter((mark) => BigInt(mark.next) > BigInt(horizon));
  const best = past.reduce<Mark | null>((a, b) => (a && a.ids >= b.ids ? a : b), null);
  // While a transaction stays open, passes pile up: every second one bounds nearly as well.
  let kept = coming;
  while (kept.length > max) kept = kept.filter((_, at) => at % 2 === 0);
  return best ? [best, ...kept] : kept;
}
