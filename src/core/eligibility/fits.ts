/**
 * The same answers as the vetoes, without sentences, for the dispatcher. That both agree is tested
 * with random shapes and workers: what the board explains is what was decided.
 */
import { hasCapacity, hasRoomFor } from "./capacity.ts";
import type { JobFacts, WorkerFacts, WorkerLoad } from "./facts.ts";

/** Whether the worker could ever run such jobs. Constant for a connection: ask once and keep it. */
export function fits(job: JobFacts, worker: WorkerFacts): boolean {
  const { system, features, pool, ram_mb, cpus } = job.requirements;
  if (worker.org !== null && worker.org !== job.org) return false;
  if (!worker.kinds.includes(job.kind)) return false;
  if (job.kind === "handler" && job.handler !== null && !worker.handlers.has(job.handler)) {
    return false;
  }
  if (system !== undefined && system !== worker.system) return false;
  if (pool !== undefined && pool !== worker.pool) return false;
  if (features !== undefined) {
    for (const feature of features) if (!worker.features.has(feature)) return false;
  }
  return hasCapacity(ram_mb, worker.ramMb) && hasCapacity(cpus, worker.cpus);
}

/** Whether a worker that fits can take one more such job now; rejections are the caller's. */
export function hasRoom(job: JobFacts, worker: WorkerFacts, load: WorkerLoad): boolean {
  if (load.draining || load.used >= load.slots) return false;
  const { ram_mb, cpus } = job.requirements;
  return (
    hasRoomFor(ram_mb, worker.ramMb, load.ramReservedMb) &&
    hasRoomFor(cpus, worker.cpus, load.cpusReserved)
  );
}
