/**
 * Memory and processors are reservations against what a worker has: more than it has at all is a
 * veto for good, more than is left of it a veto for now.
 */
import type { JobFacts, WorkerFacts, WorkerLoad } from "./facts.ts";
import { count, number } from "./phrases.ts";
import type { Veto } from "./veto.ts";

/** Sums of reserved fractions of a processor do not come out even; this much is no shortage. */
const ROUNDING = 1e-6;

export function vetoRam(job: JobFacts, worker: WorkerFacts): Veto | null {
  const needed = job.requirements.ram_mb;
  if (needed === undefined || hasCapacity(needed, worker.ramMb)) return null;
  const theirs =
    worker.ramMb === null ? "does not say how much it has" : `has ${number(worker.ramMb)} MiB`;
  return {
    rule: "ram",
    sentence: `Reserves ${number(needed)} MiB of memory, but worker ${worker.name} ${theirs}.`,
    unblocks:
      `Start a worker on a machine with at least ${number(needed)} MiB of memory, or lower ` +
      "requirements.ram_mb.",
  };
}

export function vetoCpus(job: JobFacts, worker: WorkerFacts): Veto | null {
  const needed = job.requirements.cpus;
  if (needed === undefined || hasCapacity(needed, worker.cpus)) return null;
  const theirs =
    worker.cpus === null ? "does not say how many it has" : `has ${number(worker.cpus)}`;
  return {
    rule: "cpus",
    sentence: `Reserves ${count(needed, "processor")}, but worker ${worker.name} ${theirs}.`,
    unblocks:
      `Start a worker on a machine with at least ${count(needed, "processor")}, or lower ` +
      "requirements.cpus.",
  };
}

/** Silent where the worker could never hold it: `vetoRam` says so already. */
export function vetoReservedRam(job: JobFacts, worker: WorkerFacts, load: WorkerLoad): Veto | null {
  const needed = job.requirements.ram_mb;
  if (needed === undefined || !hasCapacity(needed, worker.ramMb)) return null;
  if (hasRoomFor(needed, worker.ramMb, load.ramReservedMb)) return null;
  const left = Math.max(0, worker.ramMb! - load.ramReservedMb);
  return {
    rule: "ram_reserved",
    sentence:
      `Reserves ${number(needed)} MiB of memory, but of the ${number(worker.ramMb!)} MiB of ` +
      `worker ${worker.name} only ${number(left)} MiB are not reserved by other jobs.`,
    unblocks: `Wait until jobs on worker ${worker.name} end, or start another worker.`,
  };
}

/** Silent where the worker could never hold it: `vetoCpus` says so already. */
export function vetoReservedCpus(
  job: JobFacts,
  worker: WorkerFacts,
  load: WorkerLoad,
): Veto | null {
  const needed = job.requirements.cpus;
  if (needed === undefined || !hasCapacity(needed, worker.cpus)) return null;
  if (hasRoomFor(needed, worker.cpus, load.cpusReserved)) return null;
  const left = Math.max(0, worker.cpus! - load.cpusReserved);
  return {
    rule: "cpus_reserved",
    sentence:
      `Reserves ${count(needed, "processor")}, but of the ${number(worker.cpus!)} of worker ` +
      `${worker.name} only ${number(left)} are not reserved by other jobs.`,
    unblocks: `Wait until jobs on worker ${worker.name} end, or start another worker.`,
  };
}

/** What the worker has in all. Unknown is not enough for a job that asks. */
export function hasCapacity(needed: number | undefined, total: number | null): boolean {
  return needed === undefined || (total !== null && needed <= total);
}

/** What is left of it. */
export function hasRoomFor(
  needed: number | undefined,
  total: number | null,
  reserved: number,
): boolean {
  return needed === undefined || (total !== null && needed <= total - reserved + ROUNDING);
}
