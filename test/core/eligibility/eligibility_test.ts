import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  jobVetoes,
  loadVetoes,
  staticVetoes,
  workerVetoes,
} from "../../../src/core/eligibility/eligibility.ts";
import type { InstanceFacts } from "../../../src/core/eligibility/facts.ts";
import { VETO_RULES, type Veto } from "../../../src/core/eligibility/veto.ts";
import { jobFacts, queueFacts, situation, workerFacts, workerLoad } from "./samples.ts";

const NOW = Date.UTC(2026, 7, 1, 12);
const OPEN: InstanceFacts = { draining: false, drainedBy: null, drainedAt: null };
const SINCE = "2026-08-01T11:00:00Z";
const told = (vetoes: Veto[]) => vetoes.map(({ sentence }) => sentence);
const rules = (vetoes: Veto[]) => vetoes.map(({ rule }) => rule);

/** The one veto there is, as [rule, sentence, unblocks]. */
function only(vetoes: Veto[]): [string, string, string] {
  assert.equal(vetoes.length, 1, rules(vetoes).join());
  return [vetoes[0]!.rule, vetoes[0]!.sentence, vetoes[0]!.unblocks];
}

const asked = (requirements: object) => jobFacts({ requirements });

describe("why such jobs never go to this worker:", () => {
  test("nothing, where it offers what they need", () => {
    const job = asked({ system: "x86_64-linux", features: ["kvm"], ram_mb: 16_384, cpus: 8 });
    assert.deepEqual(staticVetoes(job, workerFacts()), []);
  });

  test("it works only for another organization", () => {
    assert.deepEqual(only(staticVetoes(jobFacts(), workerFacts({ org: 2, orgName: "beta" }))), [
      "organization",
      "Belongs to organization acme, but worker build-1 works only for beta.",
      "Start a worker with a token of organization acme, or a shared one.",
    ]);
    assert.deepEqual(staticVetoes(jobFacts(), workerFacts({ org: 1 })), []);
  });

  test("it runs no commands, or no handlers", () => {
    const exec = staticVetoes(jobFacts(), workerFacts({ kinds: ["handler"] }));
    assert.deepEqual(told(exec), ["Is of kind exec, but worker build-1 runs only: handler."]);
    const handler = jobFacts({ kind: "handler", handler: "resize" });
    assert.deepEqual(rules(staticVetoes(handler, workerFacts())), ["kind", "handler"]);
    const none = staticVetoes(jobFacts(), workerFacts({ kinds: [] }));
    assert.match(told(none)[0]!, /runs only: none\.$/);
  });

  test("it lacks the handler", () => {
    const job = jobFacts({ kind: "handler", handler: "resize" });
    const worker = workerFacts({ kinds: ["handler"], handlers: new Set(["mail", "index"]) });
    assert.deepEqual(only(staticVetoes(job, worker)), [
      "handler",
      "Needs handler resize, which worker build-1 does not have (it has: mail, index).",
      "Start a worker from the SDK with a handler called resize.",
    ]);
  });

  test("it is of another system, or of none", () => {
    const job = asked({ system: "aarch64-linux" });
    assert.match(only(staticVetoes(job, workerFacts()))[1], /build-1 is x86_64-linux\.$/);
    assert.match(only(staticVetoes(job, workerFacts({ system: null })))[1], /names no system\.$/);
  });

  test("it lacks features, each told by itself and once", () => {
    const job = asked({ features: ["quantum-gpu-77", "kvm", "tpm", "tpm"] });
    assert.deepEqual(staticVetoes(job, workerFacts()), [
      {
        rule: "feature",
        sentence:
          "Needs feature quantum-gpu-77, which worker build-1 does not offer " +
          "(it offers: nix, kvm).",
        unblocks: "Start a worker with --feature quantum-gpu-77, or submit the job without it.",
      },
      {
        rule: "feature",
        sentence: "Needs feature tpm, which worker build-1 does not offer (it offers: nix, kvm).",
        unblocks: "Start a worker with --feature tpm, or submit the job without it.",
      },
    ]);
  });

  test("it offers so many features that only a few are listed", () => {
    const features = new Set(Array.from({ length: 2000 }, (_, at) => `f${at}`));
    const [, sentence] = only(staticVetoes(asked({ features: ["x"] }), workerFacts({ features })));
    assert.match(sentence, /\(it offers: f0, f1, .*, f7 and 1,992 more\)\.$/);
  });

  test("it stands in another pool", () => {
    assert.deepEqual(only(staticVetoes(asked({ pool: "gpu" }), workerFacts())), [
      "pool",
      "Needs pool gpu, but worker build-1 is in pool default.",
      "Start a worker with --pool gpu, or submit the job without requirements.pool.",
    ]);
  });

  test("it has less memory or fewer processors in all, or does not say", () => {
    const job = asked({ ram_mb: 32_768, cpus: 16 });
    assert.deepEqual(told(staticVetoes(job, workerFacts())), [
      "Reserves 32,768 MiB of memory, but worker build-1 has 16,384 MiB.",
      "Reserves 16 processors, but worker build-1 has 8.",
    ]);
    const silent = told(staticVetoes(job, workerFacts({ ramMb: null, cpus: null })));
    assert.match(silent[0]!, /does not say how much it has\.$/);
    assert.match(silent[1]!, /does not say how many it has\.$/);
  });
});

describe("why this job does not go to this worker now:", () => {
  test("it drains", () => {
    assert.deepEqual(
      only(loadVetoes(jobFacts(), workerFacts(), workerLoad({ draining: true, used: 3 }), false)),
      [
        "worker_draining",
        "Worker build-1 is draining: it ends what it holds (3) and takes nothing new.",
        "Start another worker.",
      ],
    );
  });

  test("it has no free slot", () => {
    const full = workerLoad({ slots: 4, used: 4 });
    const [rule, sentence] = only(loadVetoes(jobFacts(), workerFacts(), full, false));
    assert.equal(rule, "no_slot");
    assert.equal(sentence, "Worker build-1 has no free slot (4 of 4 busy).");
  });

  test("it has rejected it before", () => {
    const [rule, sentence] = only(loadVetoes(jobFacts(), workerFacts(), workerLoad(), true));
    assert.equal(rule, "rejected_before");
    assert.equal(sentence, "Worker build-1 has rejected this job before.");
  });

  test("what it has is reserved by others", () => {
    const job = asked({ ram_mb: 4096, cpus: 1 });
    const load = workerLoad({ used: 1, ramReservedMb: 14_000, cpusReserved: 7.5 });
    assert.deepEqual(told(loadVetoes(job, workerFacts(), load, false)), [
      "Reserves 4,096 MiB of memory, but of the 16,384 MiB of worker build-1 only 2,384 MiB are " +
        "not reserved by other jobs.",
      "Reserves 1 processor, but of the 8 of worker build-1 only 0.5 are " +
        "not reserved by other jobs.",
    ]);
  });

  test("everything at once is told in one order, the lasting before the passing", () => {
    const job = jobFacts({
      kind: "handler",
      handler: "resize",
      requirements: { system: "b", features: ["x"], pool: "p", ram_mb: 10, cpus: 9 },
    });
    const worker = workerFacts({ org: 2 });
    const load = workerLoad({ draining: true, slots: 1, used: 1, ramReservedMb: 16_384 });
    const found = rules(workerVetoes(job, worker, load, true));
    assert.deepEqual(found, [
      "organization",
      "kind",
      "handler",
      "system",
      "feature",
      "pool",
      "cpus",
      "worker_draining",
      "rejected_before",
      "no_slot",
      "ram_reserved",
    ]);
    const order = found.map((rule) => VETO_RULES.indexOf(rule as (typeof VETO_RULES)[number]));
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
  });
});

describe("why this job goes to no worker now:", () => {
  const vetoes = (job = situation(), queue = queueFacts(), instance = OPEN) =>
    jobVetoes(job, queue, instance, NOW);

  test("nothing, where it is ready and its queue open", () => {
    assert.deepEqual(vetoes(), []);
  });

  test("it is not to run yet", () => {
    const job = situation({ waitingFor: "run_at", dueAt: NOW + 5_400_000 });
    assert.deepEqual(only(vetoes(job)).slice(0, 2), [
      "waiting_run_at",
      "Is not to run before 2026-08-01T13:30:00Z, in 90 minutes.",
    ]);
    const due = situation({ waitingFor: "run_at", dueAt: NOW - 1 });
    assert.match(only(vetoes(due))[1], /, which is now\.$/);
  });

  test("it backs off, after which error", () => {
    const job = situation({
      waitingFor: "backoff",
      dueAt: NOW + 20_000,
      failures: 2,
      lastError: "exit code 3\nTraceback …",
    });
    assert.equal(
      only(vetoes(job))[1],
      "Backs off after failure 2 of at most 3 (exit code 3) " +
        "until 2026-08-01T12:00:20Z, in 20 seconds.",
    );
    const rejected = situation({ waitingFor: "backoff", dueAt: NOW + 1000 });
    assert.match(
      only(vetoes(rejected))[1],
      /after being rejected by several workers until .*1 second\.$/,
    );
  });

  test("it waits for others, and for how many", () => {
    const one = situation({ waitingFor: "dependencies", pendingDependencies: 1 });
    assert.equal(only(vetoes(one))[1], "Waits for 1 dependency to end well.");
    const many = situation({ waitingFor: "dependencies", pendingDependencies: 1200 });
    assert.equal(only(vetoes(many))[1], "Waits for 1,200 dependencies to end well.");
  });

  test("its queue is paused: by whom, since when and why", () => {
    const paused = queueFacts({
      pausedAt: NOW - 3_600_000,
      pausedBy: "ada",
      pauseReason: "Mail server is down.",
    });
    assert.deepEqual(only(vetoes(situation(), paused)), [
      "queue_paused",
      `Queue mail is paused by ada since ${SINCE}: Mail server is down.`,
      "Resume queue mail.",
    ]);
    const silent = queueFacts({ pausedAt: NOW - 3_600_000 });
    assert.equal(only(vetoes(situation(), silent))[1], `Queue mail is paused since ${SINCE}.`);
  });

  test("its queue was stopped, is at its limit, or has started enough for now", () => {
    const full = queueFacts({
      concurrency: 3,
      held: 3,
      rate: { count: 10, seconds: 60, tokens: 0.4 },
      perKey: { tag: "customer", value: "acme", concurrency: 2, held: 2 },
    });
    assert.deepEqual(told(vetoes(situation({ stopped: true }), full)), [
      "Queue mail was stopped after this job was submitted: it is about to be cancelled.",
      "Queue mail has reached its limit: 3 of 3 jobs at once.",
      "Queue mail has reached its limit for customer acme: 2 of 2 jobs at once.",
      "Queue mail starts at most 10 jobs in 60 seconds, and has done so.",
    ]);
    const free = {
      ...{ ...full, held: 2, rate: { count: 10, seconds: 60, tokens: 1 } },
      perKey: { tag: "customer", value: "acme", concurrency: 2, held: 1 },
    };
    assert.deepEqual(vetoes(situation(), free), []);
  });

  test("a limit of none lets nothing through, even with nothing held", () => {
    const closed = queueFacts({ concurrency: 0 });
    assert.match(only(vetoes(situation(), closed))[1], /0 of 0 jobs at once/);
  });

  test("the whole instance drains", () => {
    const draining = { draining: true, drainedBy: "root", drainedAt: NOW - 3_600_000 };
    assert.deepEqual(only(vetoes(situation(), queueFacts(), draining)), [
      "instance_draining",
      `The whole instance is being drained by root since ${SINCE}: nothing is dispatched.`,
      "A superuser ends the draining.",
    ]);
  });

  test("a cancel was asked for", () => {
    assert.equal(only(vetoes(situation({ cancelRequested: true })))[0], "cancel_requested");
  });
});
