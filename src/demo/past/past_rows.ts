/** What was played, as rows. */
import type { PastAttemptRow, PastJobRow } from "../../db/statements/past/write_past.ts";
import type {
  PastBatch,
  PastEdge,
  PastMember,
  PastWorkflowRow,
} from "../../db/statements/past/write_workflows.ts";
import type { PastAttempt, PastJob, PastSubmission } from "./past_job.ts";

/** Rows of many submissions, until they are written. */
export class PastRows {
  readonly jobs: PastJobRow[] = [];
  readonly attempts: PastAttemptRow[] = [];
  readonly workflows: PastWorkflowRow[] = [];
  readonly members: PastMember[] = [];
  readonly edges: PastEdge[] = [];
  readonly batches: PastBatch[] = [];

  add(submission: PastSubmission): void {
    for (const job of submission.jobs) {
      this.jobs.push(jobRow(job));
      for (const attempt of job.attempts) this.attempts.push(attemptRow(attempt));
      for (const dependency of job.dependencies) this.edges.push(edgeOf(dependency, job));
    }
    const { workflow } = submission;
    if (!workflow) return;
    this.workflows.push(workflowRow(submission, workflow));
    for (const job of submission.jobs) {
      this.members.push({ workflow: workflow.id, key: job.key!, job: job.id });
    }
    for (const { job, attempt, ids, at } of workflow.added) {
      this.batches.push({ job: job.id, attempt, ids, at });
    }
  }
}

function jobRow(job: PastJob): PastJobRow {
  const { id, kind, input, end, attempts } = job;
  const { org, queue, name, shape, task } = kind;
  const { base_seconds = 10, factor = 2, max_seconds = 3_600 } = input.backoff ?? {};
  const last = attempts.at(-1);
  const { state, at: finishedAt, reason } = end!;
  const items = last?.performance.items;
  return {
    id,
    org,
    queue,
    name,
    shape,
    kind: task.kind,
    priority: job.priority,
    maxAttempts: job.maxAttempts,
    backoff: [base_seconds, factor, max_seconds] as const,
    timeoutSeconds: input.timeout_seconds ?? null,
    createdAt: job.createdAt,
    dependsOn: job.dependencies.map((one) => one.id),
    tags: input.tags ?? null,
    payload: input.payload,
    finishedAt,
    state,
    attempts: attempts.length,
    failures: job.failures,
    reason,
    worker: last?.worker ?? null,
    exitCode: last ? exitCodeOf(last) : null,
    error: last?.error ?? null,
    queuedAt: job.queuedAt,
    eligibleAt: job.eligibleAt,
    readyAt: last?.readyAt ?? null,
    cancelRequestedAt: last?.askedAt ?? null,
    result: state === "succeeded" ? (items ?? { ok: true }) : undefined,
  };
}

function exitCodeOf({ job, outcome, performance }: PastAttempt): number | null {
  if (outcome === "failed") return performance.trouble?.exitCode ?? null;
  return outcome === "succeeded" && job.kind.task.kind === "exec" ? 0 : null;
}

function attemptRow(attempt: PastAttempt): PastAttemptRow {
  const { job, performance, decision, outcome } = attempt;
  const { org, queue, name } = job.kind;
  const { usage, items, trouble } = performance;
  const runMs = attempt.endedAt - attempt.startedAt;
  const part = Math.min(1, runMs / performance.runMs);
  const { worker, session, queuedAt, eligibleAt, readyAt, risen, askedAt } = attempt;
  return {
    job: job.id,
    attempt: attempt.number,
    org,
    queue,
    name,
    worker,
    session,
    outcome,
    stateAfter: attempt.stateAfter,
    reason: attempt.reason,
    error: attempt.error,
    exitCode: exitCodeOf(attempt),
    signal: outcome === "failed" ? trouble!.signal : null,
    queuedAt,
    eligibleAt,
    readyAt,
    risen,
    askedAt,
    ...{
      dispatchedAt: attempt.dispatchedAt,
      startedAt: attempt.startedAt,
      endedAt: attempt.endedAt,
    },
    runMs,
    ramMb: usage.peak_ram_mb!,
    cpuMs: Math.round(usage.cpu_ms! * part),
    diskRead: usage.disk_read_bytes!,
    diskWritten: usage.disk_write_bytes!,
    networkMbps: usage.network_mbps!,
    oomKilled: usage.oom_killed!,
    items: items ? [items.success, items.failed, items.skipped] : null,
    beat: decision.beat,
    score: decision.score,
    terms: decision.terms,
    candidates: decision.candidates.map((one) => ({ job: one.job.id, score: one.score })),
    considered: decision.considered,
    contexts: [decision.workerContext, decision.jobContext, decision.instanceContext],
  };
}

function edgeOf(dependency: PastJob, dependent: PastJob): PastEdge {
  const { state, at } = dependency.end!;
  const satisfiedAt = state === "succeeded" ? at : null;
  return { dependency: dependency.id, dependent: dependent.id, satisfiedAt };
}

function workflowRow(
  { org, jobs, endedAt }: PastSubmission,
  { id, name, commit, createdAt }: NonNullable<PastSubmission["workflow"]>,
): PastWorkflowRow {
  const counts: Record<string, number> = {};
  for (const { end } of jobs) counts[end!.state] = (counts[end!.state] ?? 0) + 1;
  const bad = (counts.failed ?? 0) + (counts.dependency_failed ?? 0) > 0;
  const state = bad ? "failed" : counts.cancelled ? "cancelled" : "succeeded";
  return {
    id,
    org,
    name,
    state,
    createdAt,
    finishedAt: endedAt,
    counts,
    commit: commit && { hash: commit.hash, at: Date.parse(commit.timestamp) },
  };
}
