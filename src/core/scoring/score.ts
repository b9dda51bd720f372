/**
 * The score of giving a job to a worker: the sum of all rules. There is no floor: a poor pair is
 * still better than an idle slot, and what must not be is a veto (`core/eligibility`).
 */
import type { Rule, ScoringInstance, ScoringJob, ScoringWorker } from "./context.ts";
import { cpuHeadroom } from "./cpu_headroom.ts";
import { dependents } from "./dependents.ts";
import { diskAffinity } from "./disk_affinity.ts";
import { fairShare } from "./fair_share.ts";
import { locality } from "./locality.ts";
import { networkAffinity } from "./network_affinity.ts";
import { resourceFit } from "./resource_fit.ts";
import { saturation } from "./saturation.ts";
import { spread } from "./spread.ts";
import { waitAndPriority } from "./wait_and_priority.ts";

/**
 * Stored with every dispatch. A new version for every change of order, formula or weight; what
 * older versions meant stays readable in `explain.ts`.
 */
export const RULES_VERSION = 1;

/** A rule's place here is its place in the stored terms. */
export const RULES: readonly Rule[] = [
  waitAndPriority,
  resourceFit,
  saturation,
  locality,
  dependents,
  fairShare,
  diskAffinity,
  networkAffinity,
  cpuHeadroom,
  spread,
];

/** Writes one term per rule into `terms` (at least `RULES.length` long) and returns their sum. */
export function scoreInto(
  terms: Float32Array,
  job: ScoringJob,
  worker: ScoringWorker,
  instance: ScoringInstance,
  nowMs: number,
): number {
  let total = 0;
  for (let at = 0; at < RULES.length; at += 1) {
    const term = RULES[at]!.score(job, worker, instance, nowMs);
    terms[at] = term;
    total += term;
  }
  return total;
}
