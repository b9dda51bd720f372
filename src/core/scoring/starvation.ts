/** The proof in figures that no job starves: what all rules together can cost it, in waiting. */
import type { ScoringInstance } from "./context.ts";
import { fairShare, fairShareGrowth } from "./fair_share.ts";
import { RULES } from "./score.ts";
import { waitPace } from "./wait_and_priority.ts";
import { FAIR_SHARE } from "./weights.ts";

/**
 * Seconds of rank after which a job beats any other on any worker, however well that one suits and
 * however badly this one does: the widest gap that the bounded rules can open, at the present pace.
 */
export function handicapSeconds(instance: ScoringInstance): number {
  let gap = 0;
  for (const rule of RULES) {
    if (rule === fairShare) gap += FAIR_SHARE * fairShareGrowth(instance);
    else if (rule.min !== null && rule.max !== null) gap += rule.max - rule.min;
  }
  return gap / waitPace(instance);
}
