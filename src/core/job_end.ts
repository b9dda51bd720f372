/**
 * What the end of an attempt means for its job: the guards of the statechart, resolved into one
 * event before the table is asked (engine rules 5, 14 and 16).
 *
 * What costs what:
 * - `failed` and `timed_out` count as a failure; below `max_attempts` the job tries again later.
 * - a lease lost while running makes the job ready at once, `MAX_LOST` times, then it fails.
 * - rejected, drained and never started cost nothing; from the fifth rejection on it backs off.
 * - given back by a worker that goes on counts as a rejection: it must not come and go for ever.
 * - once a cancel was asked, every end but success is the cancel: nothing starts this job again.
 * - once its slot was to be freed, every end but success puts the job back in line and costs nothing.
 */
import type { Outcome } from "./job_state.ts";
import type { JobEventType } from "./job_table.ts";

/** Leases a job may lose while running before it fails with `worker_lost`. */
export const MAX_LOST = 3;
/** The rejection from which on a job backs off before it is offered again. */
export const REJECTIONS_BEFORE_BACKOFF = 5;
/** The count stops here: its column is a small integer, and the backoff is longest long before. */
const REJECTIONS_MAX = 30_000;

/** What the row of the job says while the attempt lives. */
export interface AttemptCounters {
  failures: number;
  max_attempts: number;
  lost: number;
  rejections: number;
  /** `cancel_requested_at` is set. */
  cancelRequested: boolean;
  /** What was asked is that its slot be freed: whatever ends the attempt, the job goes back in line. */
  requeueRequested?: boolean;
}

/** Why an attempt ended whose slot somebody freed. */
export const FREED = "freed";

/** Reasons that another attempt would meet again: the same payload fits the handler no better. */
const HOPELESS: ReadonlySet<string> = new Set(["invalid_payload"]);

export type ReportedOutcome = "succeeded" | "failed" | "timed_out" | "cancelled" | "released";

export interface Ending {
  event: JobEventType;
  /** How the attempt ended, whatever became of the job. */
  outcome: Outcome;
  /** One word for machines, such as `worker_lost`; null where the outcome says it all. */
  reason: string | null;
  /** The job's counters after this end. */
  failures: number;
  lost: number;
  rejections: number;
  /**
   * Where the job must wait before it is offered again: the number to give `backoffMs` as
   * `failures`. Null where it need not.
   */
  backoff: number | null;
}

/** The end that a worker reported. `reason` is the worker's own word, kept where there is one. */
export function resolveReport(
  outcome: ReportedOutcome,
  reason: string | null | undefined,
  job: AttemptCounters,
): Ending {
  switch (outcome) {
    case "succeeded":
      return ending(job, "succeed", "succeeded", reason ?? null);
    case "released":
      return unlessCancelled(ending(job, "release", "released", reason ?? null), job);
    case "failed":
      return unlessCancelled(failure(job, "failed", reason ?? null), job);
    case "timed_out":
      return unlessCancelled(failure(job, "timed_out", reason ?? "timed_out"), job);
    case "cancelled":
      if (job.cancelRequested) {
        return unlessCancelled(ending(job, "cancel", "cancelled", reason ?? null), job);
      }
      // Nobody asked. As a failure it is bounded by max_attempts; given back free it could go on
      // for ever between the server and a worker that cancels everything.
      return failure(job, "failed", "cancelled_unasked");
  }
}

/** The lease ended without a report; written only by the rescuer (engine rule 14). */
export function resolveLapse(state: "dispatched" | "running", job: AttemptCounters): Ending {
  if (state === "dispatched") {
    return unlessCancelled(ending(job, "release", "released", "never_started"), job);
  }
  const lost = job.lost + 1;
  const event = lost > MAX_LOST ? "lost_final" : "lost_ready";
  return unlessCancelled({ ...ending(job, event, "lost", "worker_lost"), lost }, job);
}

/** The worker would not take it. The caller vetoes that worker for this job. */
export function resolveRejection(reason: string | null, job: AttemptCounters): Ending {
  return refusal("reject", "rejected", reason, job);
}

/**
 * A worker that does not drain reported `released`. No veto: it took the job, and may be the only
 * one that can; but it would get it again at once, so this is braked as rejections are.
 */
export function resolveGivenBack(reason: string | null, job: AttemptCounters): Ending {
  return refusal("release", "released", reason, job);
}

function refusal(
  event: "reject" | "release",
  outcome: Outcome,
  reason: string | null,
  job: AttemptCounters,
): Ending {
  const rejections = Math.min(job.rejections + 1, REJECTIONS_MAX);
  const brake = rejections >= REJECTIONS_BEFORE_BACKOFF;
  const backoff = brake ? rejections - REJECTIONS_BEFORE_BACKOFF + 1 : null;
  const end = ending(job, brake ? "reject_backoff" : event, outcome, reason);
  return unlessCancelled({ ...end, rejections, backoff }, job);
}

/** The report could not be stored, alone in its transaction: no other attempt would fare better. */
export function resolveUnstorable(job: AttemptCounters): Ending {
  return {
    ...ending(job, "fail_final", "failed", "unstorable_report"),
    failures: job.failures + 1,
  };
}

function failure(job: AttemptCounters, outcome: Outcome, reason: string | null): Ending {
  const failures = job.failures + 1;
  const again = failures < job.max_attempts && !HOPELESS.has(reason ?? "");
  return {
    ...ending(job, again ? "fail_retry" : "fail_final", outcome, reason),
    failures,
    backoff: again ? failures : null,
  };
}

/**
 * Asked to cancel, the job is cancelled by whatever ends its attempt; asked to make room, it is back in
 * line. The outcome stays true.
 */
function unlessCancelled(end: Ending, job: AttemptCounters): Ending {
  if (job.requeueRequested) return ending(job, "release", end.outcome, FREED);
  if (!job.cancelRequested) return end;
  return { ...end, event: "cancel", backoff: null };
}

function ending(
  job: AttemptCounters,
  event: JobEventType,
  outcome: Outcome,
  reason: string | null,
): Ending {
  return {
    event,
    outcome,
    reason,
    failures: job.failures,
    lost: job.lost,
    rejections: job.rejections,
    backoff: null,
  };
}
