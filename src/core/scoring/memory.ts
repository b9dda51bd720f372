/** What a name is likely to need, and what a worker can still give. Shared by two rules. */
import type { ScoringJob, ScoringWorker } from "./context.ts";

/** MiB that jobs of this name use at their peak, or null where none was measured. */
export function predictedRamMb(job: ScoringJob): number | null {
  return job.history === null ? null : job.history.ramP95Mb;
}

/** The same, with what the job reserves standing in where none was measured. */
export function expectedRamMb(job: ScoringJob): number | null {
  return predictedRamMb(job) ?? job.ramMb ?? null;
}

/**
 * MiB that are left: the smaller of what the host has free and what no job has reserved. Not their
 * difference, for a running job's memory is in both and would be taken off twice.
 */
export function spareRamMb(worker: ScoringWorker): number | null {
  const unreserved =
    worker.ramTotalMb === null ? null : Math.max(0, worker.ramTotalMb - worker.ramReservedMb);
  if (worker.ramFreeMb === null) return unreserved;
  return unreserved === null ? worker.ramFreeMb : Math.min(worker.ramFreeMb, unreserved);
}
