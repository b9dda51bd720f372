/** A rule applied to what is known of a name, as long as that is fresh enough to say anything of now. Pure. */
import type { EffectiveLimits } from "./effective.ts";
import type { JobFacts } from "./facts.ts";
import type { Rule } from "./rules.ts";
import { unknown, type Verdict } from "./verdict.ts";

const SWITCHED_OFF: Verdict = {
  ...{ truth: "false", value: null, limit: null, sentence: "The rule was switched off." },
};

/** `behindMaxMs`: what is known up to an earlier moment decides nothing. */
export function judgeRule(
  rule: Rule,
  facts: JobFacts,
  { enabled, limits }: Pick<EffectiveLimits, "enabled" | "limits">,
  { now, behindMaxMs }: { now: number; behindMaxMs: number },
): Verdict {
  if (!enabled) return SWITCHED_OFF;
  // Queues are counted at every look, and need no rollups.
  const knownUntil = { runs: facts.until, success: facts.lastRunsUntil, queue: now }[rule.reads];
  if (now - knownUntil > behindMaxMs) return unknown("The rollups are behind.");
  return rule.condition(facts, limits);
}
