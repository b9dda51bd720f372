/** Facts to vary, and random ones over few words, so that they fit as often as not. */
import fc from "fast-check";
import type {
  JobFacts,
  JobSituation,
  QueueFacts,
  WorkerFacts,
  WorkerLoad,
} from "../../../src/core/eligibility/facts.ts";

export function jobFacts(over: Partial<JobFacts> = {}): JobFacts {
  return { org: 1, orgName: "acme", kind: "exec", handler: null, requirements: {}, ...over };
}

export function workerFacts(over: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    name: "build-1",
    org: null,
    orgName: null,
    kinds: ["exec"],
    handlers: new Set(),
    system: "x86_64-linux",
    features: new Set(["nix", "kvm"]),
    pool: "default",
    ramMb: 16_384,
    cpus: 8,
    ...over,
  };
}

export function workerLoad(over: Partial<WorkerLoad> = {}): WorkerLoad {
  return { draining: false, slots: 4, used: 0, ramReservedMb: 0, cpusReserved: 0, ...over };
}

export function queueFacts(over: Partial<QueueFacts> = {}): QueueFacts {
  return {
    name: "mail",
    pausedAt: null,
    pausedBy: null,
    pauseReason: null,
    concurrency: null,
    held: 0,
    rate: null,
    ...over,
  };
}

export function situation(over: Partial<JobSituation> = {}): JobSituation {
  return {
    waitingFor: null,
    dueAt: null,
    lastError: null,
    failures: 0,
    maxAttempts: 3,
    pendingDependencies: 0,
    stopped: false,
    cancelRequested: false,
    ...over,
  };
}

const word = fc.constantFrom("nix", "kvm", "gpu");
const org = fc.constantFrom(1, 2);
const kind = fc.constantFrom<"exec" | "handler">("exec", "handler");
const handler = fc.constantFrom("resize", "mail");
const amount = fc.integer({ min: 1, max: 4 });

export const anyJobFacts: fc.Arbitrary<JobFacts> = fc
  .record({
    org,
    kind,
    handler,
    requirements: fc.record(
      {
        system: fc.constantFrom("a", "b"),
        features: fc.array(word, { maxLength: 3 }),
        pool: fc.constantFrom("default", "fast"),
        ram_mb: amount,
        cpus: amount,
      },
      { requiredKeys: [] },
    ),
  })
  .map((facts) => ({
    ...facts,
    orgName: `org-${facts.org}`,
    handler: facts.kind === "handler" ? facts.handler : null,
  }));

export const anyWorkerFacts: fc.Arbitrary<WorkerFacts> = fc.record({
  name: fc.constant("build-1"),
  org: fc.option(org, { nil: null }),
  orgName: fc.constant(null),
  kinds: fc.subarray<"exec" | "handler">(["exec", "handler"]),
  handlers: fc.array(handler).map((names) => new Set(names)),
  system: fc.option(fc.constantFrom("a", "b"), { nil: null }),
  features: fc.array(word).map((words) => new Set(words)),
  pool: fc.constantFrom("default", "fast"),
  ramMb: fc.option(amount, { nil: null }),
  cpus: fc.option(amount, { nil: null }),
});

export const anyLoad: fc.Arbitrary<WorkerLoad> = fc.record({
  draining: fc.boolean(),
  slots: amount,
  used: fc.nat({ max: 4 }),
  ramReservedMb: fc.nat({ max: 4 }),
  cpusReserved: fc.double({ min: 0, max: 4, noNaN: true }),
});
