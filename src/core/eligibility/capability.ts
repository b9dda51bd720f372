/** Whether a worker can do what such jobs need: system and features. */
import type { JobFacts, WorkerFacts } from "./facts.ts";
import { list } from "./phrases.ts";
import type { Veto } from "./veto.ts";

export function vetoSystem(job: JobFacts, worker: WorkerFacts): Veto | null {
  const { system } = job.requirements;
  if (system === undefined || system === worker.system) return null;
  const theirs = worker.system === null ? "names no system" : `is ${worker.system}`;
  return {
    rule: "system",
    sentence: `Needs system ${system}, but worker ${worker.name} ${theirs}.`,
    unblocks:
      `Start a worker with --system ${system} on such a machine, or submit the job without ` +
      "requirements.system.",
  };
}

/** One veto for each feature that is missing. */
export function vetoFeatures(job: JobFacts, worker: WorkerFacts): Veto[] {
  const missing = new Set<string>();
  for (const feature of job.requirements.features ?? []) {
    if (!worker.features.has(feature)) missing.add(feature);
  }
  return Array.from(missing, (feature) => ({
    rule: "feature" as const,
    sentence:
      `Needs feature ${feature}, which worker ${worker.name} does not offer (it offers: ` +
      `${list(worker.features)}).`,
    unblocks: `Start a worker with --feature ${feature}, or submit the job without it.`,
  }));
}
