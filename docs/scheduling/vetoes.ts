/** One example of every veto, told by the code that tells them on the board. */
import { jobVetoes, workerVetoes } from "../../src/core/eligibility/eligibility.ts";
import type {
  InstanceFacts,
  JobFacts,
  JobSituation,
  QueueFacts,
  WorkerFacts,
  WorkerLoad,
} from "../../src/core/eligibility/facts.ts";
import { VETO_RULES, type Veto } from "../../src/core/eligibility/veto.ts";

const NOON = Date.UTC(2026, 7, 1, 12);

const WANTED: JobFacts = {
  org: 1,
  orgName: "acme",
  kind: "handler",
  handler: "resize",
  requirements: {
    system: "aarch64-linux",
    features: ["gpu"],
    pool: "fast",
    ram_mb: 65_536,
    cpus: 32,
  },
};

const OTHER: WorkerFacts = {
  name: "build-1",
  org: 2,
  orgName: "beta",
  kinds: ["exec"],
  handlers: new Set(["mail"]),
  system: "x86_64-linux",
  features: new Set(["nix", "kvm"]),
  pool: "default",
  ramMb: 16_384,
  cpus: 8,
};

const FULL: WorkerLoad = {
  draining: true,
  slots: 4,
  used: 4,
  ramReservedMb: 14_336,
  cpusReserved: 7,
};

const SMALL: JobFacts = { ...WANTED, requirements: { ram_mb: 4096, cpus: 2 } };

const CLOSED: QueueFacts = {
  name: "images",
  pausedAt: NOON - 3_600_000,
  pausedBy: "ada",
  pauseReason: "storage is full",
  concurrency: 3,
  held: 3,
  rate: { count: 10, seconds: 60, tokens: 0 },
  perKey: { tag: "team", value: "web", concurrency: 2, held: 2 },
};

const DRAINING: InstanceFacts = { draining: true, drainedBy: "ada", drainedAt: NOON - 60_000 };

const WAITING: JobSituation = {
  waitingFor: "run_at",
  dueAt: NOON + 5_400_000,
  lastError: "exit code 3",
  failures: 1,
  maxAttempts: 3,
  pendingDependencies: 2,
  stopped: true,
  cancelRequested: true,
};

/** In the order of `VETO_RULES`, each once. */
export function exampleVetoes(): Veto[] {
  const all = [
    ...jobVetoes(WAITING, CLOSED, DRAINING, NOON),
    ...jobVetoes({ ...WAITING, waitingFor: "backoff" }, CLOSED, DRAINING, NOON),
    ...jobVetoes({ ...WAITING, waitingFor: "dependencies" }, CLOSED, DRAINING, NOON),
    ...workerVetoes(WANTED, OTHER, FULL, true),
    ...workerVetoes(SMALL, OTHER, FULL, true),
  ];
  return VETO_RULES.map((rule) => {
    const example = all.find((veto) => veto.rule === rule);
    if (!example) throw new Error(`No example shows the veto "${rule}".`);
    return example;
  });
}
