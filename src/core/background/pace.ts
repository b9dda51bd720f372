/**
 * How often rules are due around a moment, as one figure: for whoever can wait for so many intervals, and knows no due
 * times. Pure; moments are epoch milliseconds.
 */
import { dueTimes, type Rule } from "../schedules/due_times.ts";
import { dueAfter } from "./staleness.ts";
import { STALENESS } from "./thresholds.ts";

export interface DuesAround {
  /** The latest up to the moment, newest first. */
  past: readonly number[];
  /** The first after it; null: it is not due again. */
  next: number | null;
}

/** So many intervals are waited for. */
const WAITED = [STALENESS.warningIntervals, STALENESS.badIntervals];
const PAST = Math.max(...WAITED);
/** Due times since the look before that are counted on from it; beyond these all are found anew. */
const STEPS_MAX = 6;

/** @param known of the same rules, at an earlier moment: spares most of the work */
export function duesAround(rules: readonly Rule[], at: number, known?: DuesAround): DuesAround {
  let around = known;
  for (let step = 0; around !== undefined && step <= STEPS_MAX; step++) {
    const { past, next } = around;
    if (next === null || next > at) return around;
    const [after = null] = dueAfter(rules, next, 1);
    around = { past: [next, ...past].slice(0, PAST), next: after };
  }
  const all = new Set(rules.flatMap((rule) => dueTimes(rule).upTo(at, PAST)));
  const [next = null] = dueAfter(rules, at, 1);
  return { past: [...all].sort((a, b) => b - a).slice(0, PAST), next };
}

/**
 * The mean of the last intervals, the one that goes on among them: of as many as are waited for, and where this is not
 * the same for each of these, the longest. So a wait of so many of it is never over before so many due times went by,
 * whatever the rule, and where due times come evenly exactly then. Null: nothing is due.
 */
export function paceOf({ past, next }: DuesAround): number | null {
  if (next === null) return null;
  const means = WAITED.filter((n) => n <= past.length).map((n) => (next - past[n - 1]!) / n);
  return means.length === 0 ? null : Math.max(...means);
}
