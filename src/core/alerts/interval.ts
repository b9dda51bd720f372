/** How long it may be between two runs of a cron rule, on purpose. Pure. */
import { nextDueTimes, type Rule } from "../schedules/due_times.ts";

/** Enough for a week of an hourly rule that rests at the weekend. */
const LOOKED = 130;

/**
 * The longest gap among the next due times: a rule of office hours rests over the weekend, and is not overdue
 * then. Null where it is due once more at most.
 */
export function expectedInterval(rule: Rule, now: number): number | null {
  const times = nextDueTimes(rule, now, LOOKED);
  let longest = 0;
  for (let at = 1; at < times.length; at++) longest = Math.max(longest, times[at]! - times[at - 1]!);
  return longest === 0 ? null : longest;
}
