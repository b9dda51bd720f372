/** Whether a worker is meant for such jobs at all: organization, kind, handler, pool. */
import type { JobFacts, WorkerFacts } from "./facts.ts";
import { list } from "./phrases.ts";
import type { Veto } from "./veto.ts";

export function vetoOrganization(job: JobFacts, worker: WorkerFacts): Veto | null {
  if (worker.org === null || worker.org === job.org) return null;
  const theirs = worker.orgName ?? "another organization";
  return {
    rule: "organization",
    sentence:
      `Belongs to organization ${job.orgName}, but worker ${worker.name} works only for ` +
      `${theirs}.`,
    unblocks: `Start a worker with a token of organization ${job.orgName}, or a shared one.`,
  };
}

export function vetoKind(job: JobFacts, worker: WorkerFacts): Veto | null {
  if (worker.kinds.includes(job.kind)) return null;
  return {
    rule: "kind",
    sentence: `Is of kind ${job.kind}, but worker ${worker.name} runs only: ${list(worker.kinds)}.`,
    unblocks:
      job.kind === "exec"
        ? "Start a worker with signalbox worker, which runs commands."
        : `Start a worker from the SDK with a handler called ${job.handler}.`,
  };
}

export function vetoHandler(job: JobFacts, worker: WorkerFacts): Veto | null {
  if (job.kind !== "handler" || job.handler === null || worker.handlers.has(job.handler)) {
    return null;
  }
  return {
    rule: "handler",
    sentence:
      `Needs handler ${job.handler}, which worker ${worker.name} does not have (it has: ` +
      `${list(worker.handlers)}).`,
    unblocks: `Start a worker from the SDK with a handler called ${job.handler}.`,
  };
}

export function vetoPool(job: JobFacts, worker: WorkerFacts): Veto | null {
  const { pool } = job.requirements;
  if (pool === undefined || pool === worker.pool) return null;
  return {
    rule: "pool",
    sentence: `Needs pool ${pool}, but worker ${worker.name} is in pool ${worker.pool}.`,
    unblocks: `Start a worker with --pool ${pool}, or submit the job without requirements.pool.`,
  };
}
