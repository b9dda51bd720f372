/** What stands against a worker now: it drains, it is full, it would not take this job. */
import type { WorkerFacts, WorkerLoad } from "./facts.ts";
import { number } from "./phrases.ts";
import type { Veto } from "./veto.ts";

export function vetoDrainingWorker(worker: WorkerFacts, load: WorkerLoad): Veto | null {
  if (!load.draining) return null;
  return {
    rule: "worker_draining",
    sentence:
      `Worker ${worker.name} is draining: it ends what it holds (${number(load.used)}) and ` +
      "takes nothing new.",
    unblocks: "Start another worker.",
  };
}

export function vetoFullWorker(worker: WorkerFacts, load: WorkerLoad): Veto | null {
  if (load.used < load.slots) return null;
  return {
    rule: "no_slot",
    sentence:
      `Worker ${worker.name} has no free slot (${number(load.used)} of ${number(load.slots)} ` +
      "busy).",
    unblocks:
      `Wait until a job on worker ${worker.name} ends, or start another worker or one with more ` +
      "--slots.",
  };
}

export function vetoRejectedBefore(worker: WorkerFacts, rejected: boolean): Veto | null {
  if (!rejected) return null;
  return {
    rule: "rejected_before",
    sentence: `Worker ${worker.name} has rejected this job before.`,
    unblocks: "Start another worker that takes it; the log of the one that rejected it says why.",
  };
}
