/** Jobs of the past, as they are while it is played, and as they are written. */
import type { ScoringJob } from "../../core/scoring/context.ts";
import type { JobInput } from "../../messages/job_input.ts";
import type { Task } from "../cast/task.ts";
import type { Performance } from "../play/perform.ts";

export type FinalState = "succeeded" | "failed" | "cancelled" | "dependency_failed";

/** An organization, a queue, a name and requirements that were given ids. */
export interface PastKind {
  task: Task;
  orgName: string;
  org: number;
  queue: number;
  name: number;
  counted: number;
  shape: number;
  requirements: NonNullable<JobInput["requirements"]>;
}

export interface PastJob {
  id: string;
  kind: PastKind;
  input: JobInput;
  submission: PastSubmission;
  key: string | null;
  createdAt: number;
  priority: number;
  maxAttempts: number;
  dependencies: PastJob[];
  dependents: PastJob[];
  pending: number;
  failures: number;
  /** Longest path below it. */
  below: number;
  attempts: PastAttempt[];
  /** Of the attempt to come. */
  queuedAt: number;
  eligibleAt: number;
  readyAt: number;
  /** It became ready by a step of its own, and not in that in which it lost its worker. */
  risen: boolean;
  inputWorkers: number[];
  /** What scoring reads of it, once it is ready. */
  scoring: ScoringJob | null;
  end: { at: number; state: FinalState; reason: string | null } | null;
}

export interface PastAttempt {
  job: PastJob;
  number: number;
  worker: number;
  session: number;
  queuedAt: number;
  eligibleAt: number;
  readyAt: number;
  risen: boolean;
  dispatchedAt: number;
  startedAt: number;
  endedAt: number;
  outcome: "succeeded" | "failed" | "timed_out" | "cancelled" | "lost";
  stateAfter: "succeeded" | "failed" | "cancelled" | "queued" | "ready";
  reason: string | null;
  error: string | null;
  /** When somebody asked to cancel it. */
  askedAt: number | null;
  performance: Performance;
  decision: PastDecision;
}

export interface PastDecision {
  beat: string;
  score: number;
  terms: number[];
  candidates: { job: PastJob; score: number }[];
  considered: number;
  workerContext: string;
  jobContext: string;
  instanceContext: string;
}

/** Jobs that were sent together, and those that they added. */
export interface PastSubmission {
  org: number;
  jobs: PastJob[];
  alive: number;
  workflow: PastWorkflow | null;
  endedAt: number;
}

export interface PastWorkflow {
  id: string;
  name: string;
  commit: { hash: string; timestamp: string } | null;
  createdAt: number;
  /** Which job has added which: {key: id}. */
  added: { job: PastJob; attempt: number; ids: Record<string, string>; at: number }[];
}

export interface PastSample {
  at: number;
  workers: {
    worker: number;
    org: number | null;
    slots: number;
    used: number;
    hasHandlers: boolean;
    cpuPct: number;
    ramFreeMb: number;
    ramTotalMb: number;
    diskMbps: number;
    networkMbps: number;
  }[];
  orgs: { org: number; pending: number; active: number }[];
}
