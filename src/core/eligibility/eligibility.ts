/**
 * Why is this job not running? Every veto that stands, in the order to read them in.
 * Empty lists mean: nothing stands against it, it is only a matter of its place in the line.
 */
import { vetoFeatures, vetoSystem } from "./capability.ts";
import { vetoCpus, vetoRam, vetoReservedCpus, vetoReservedRam } from "./capacity.ts";
import type {
  InstanceFacts,
  JobFacts,
  JobSituation,
  QueueFacts,
  WorkerFacts,
  WorkerLoad,
} from "./facts.ts";
import { vetoHandler, vetoKind, vetoOrganization, vetoPool } from "./place.ts";
import {
  vetoDrainingInstance,
  vetoPausedQueue,
  vetoQueueKeyLimit,
  vetoQueueLimit,
  vetoQueueRate,
  vetoStoppedQueue,
} from "./queue.ts";
import type { Veto } from "./veto.ts";
import { vetoCancelRequested, vetoWaiting } from "./waiting.ts";
import { vetoDrainingWorker, vetoFullWorker, vetoRejectedBefore } from "./worker_state.ts";

/** What holds whatever the worker. */
export function jobVetoes(
  job: JobSituation,
  queue: QueueFacts,
  instance: InstanceFacts,
  nowMs: number,
): Veto[] {
  return standing([
    vetoWaiting(job, nowMs),
    vetoCancelRequested(job),
    vetoDrainingInstance(instance),
    vetoPausedQueue(queue),
    vetoStoppedQueue(queue, job.stopped),
    vetoQueueLimit(queue),
    vetoQueueKeyLimit(queue),
    vetoQueueRate(queue),
  ]);
}

/** What keeps such jobs from this worker for as long as it is connected. Empty where it `fits`. */
export function staticVetoes(job: JobFacts, worker: WorkerFacts): Veto[] {
  return standing([
    vetoOrganization(job, worker),
    vetoKind(job, worker),
    vetoHandler(job, worker),
    vetoSystem(job, worker),
    ...vetoFeatures(job, worker),
    vetoPool(job, worker),
    vetoRam(job, worker),
    vetoCpus(job, worker),
  ]);
}

/** What keeps the job from this worker at this moment. */
export function loadVetoes(
  job: JobFacts,
  worker: WorkerFacts,
  load: WorkerLoad,
  rejected: boolean,
): Veto[] {
  return standing([
    vetoDrainingWorker(worker, load),
    vetoRejectedBefore(worker, rejected),
    vetoFullWorker(worker, load),
    vetoReservedRam(job, worker, load),
    vetoReservedCpus(job, worker, load),
  ]);
}

/** Everything between this job and this worker. */
export function workerVetoes(
  job: JobFacts,
  worker: WorkerFacts,
  load: WorkerLoad,
  rejected: boolean,
): Veto[] {
  return [...staticVetoes(job, worker), ...loadVetoes(job, worker, load, rejected)];
}

function standing(vetoes: readonly (Veto | null)[]): Veto[] {
  return vetoes.filter((veto) => veto !== null);
}
