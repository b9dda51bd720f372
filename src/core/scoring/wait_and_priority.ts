/**
 * The line itself. Linear in now − rank and without a cap, with one pace for all jobs at any one
 * time: two jobs that differ in nothing else never change places.
 */
import type { Rule, ScoringInstance } from "./context.ts";
import {
  USUAL_WAIT_SECONDS,
  WAIT_CEILING_SECONDS,
  WAIT_FLOOR_SECONDS,
  WAIT_POINTS,
} from "./weights.ts";

/** Points for each second of waiting, at present. */
export function waitPace(instance: ScoringInstance): number {
  const usual = instance.averages.waitSeconds ?? USUAL_WAIT_SECONDS;
  return WAIT_POINTS / Math.min(WAIT_CEILING_SECONDS, Math.max(WAIT_FLOOR_SECONDS, usual));
}

export const waitAndPriority: Rule = {
  name: "wait_and_priority",
  weight: WAIT_POINTS,
  help:
    "Rewards jobs that have been ready for long, and those with a high priority: one point of " +
    "priority counts like 60 seconds of waiting. It grows without end, so every job gets its turn.",
  formula: "60 × (now − ready_at + 60 s × priority) ÷ mean wait (15 s to 240 s; unknown: 60 s)",
  min: null,
  max: null,
  score: (job, _worker, instance, nowMs) => (nowMs / 1000 - job.rank) * waitPace(instance),
};
