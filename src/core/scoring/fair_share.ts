import type { Rule, ScoringInstance } from "./context.ts";
import { clamp01, FAIR_SHARE, FAIR_SHARE_GROWTH_MAX, WAIT_CEILING_SECONDS } from "./weights.ts";

/**
 * From 1 upwards: how much longer than the pace reaches jobs wait here. Without it the penalty
 * would be worth a fixed time, and a small organization would stand behind hours of backlog.
 */
export function fairShareGrowth(instance: ScoringInstance): number {
  const wait = instance.averages.waitSeconds ?? 0;
  return Math.min(FAIR_SHARE_GROWTH_MAX, Math.max(1, wait / WAIT_CEILING_SECONDS));
}

export const fairShare: Rule = {
  name: "fair_share",
  weight: FAIR_SHARE,
  help:
    "While more jobs wait than slots are free, holds back an organization that uses more than " +
    "its equal share of the slots, until the others have theirs. Otherwise it does nothing.",
  formula:
    "−500 × (share of used slots − 1 ÷ organizations with work) ÷ (1 − 1 ÷ organizations), and " +
    "× mean wait ÷ 240 s where that is more than 1 (at most 360); 0 without contention",
  min: -FAIR_SHARE * FAIR_SHARE_GROWTH_MAX,
  max: 0,
  score(job, _worker, instance) {
    if (!instance.contended || instance.activeOrgs < 2 || instance.slotsUsed <= 0) return 0;
    const equal = 1 / instance.activeOrgs;
    const share = (instance.usedByOrg.get(job.org) ?? 0) / instance.slotsUsed;
    const excess = clamp01((share - equal) / (1 - equal));
    return excess > 0 ? -FAIR_SHARE * excess * fairShareGrowth(instance) : 0;
  },
};
