/**
 * The waits of an attempt, defined once and shown everywhere the same (architecture.md):
 *
 *   deferral         eligible − queued        run_at and backoff
 *   dependency wait  ready − eligible
 *   queue wait       dispatched − ready
 *   start latency    started − dispatched
 *   run              the worker's own monotonic duration
 *
 * None is ever negative, and none is known before both of its ends are.
 */
import type { JobState, WaitingFor } from "./job_state.ts";

/** Epoch milliseconds; null for what has not happened. */
export interface PhaseTimes {
  queuedAt: number;
  eligibleAt: number | null;
  readyAt: number | null;
  dispatchedAt: number | null;
  startedAt: number | null;
  /** Milliseconds, as the worker measured. */
  runMs: number | null;
}

/** Milliseconds; null for what is not over. */
export interface Waits {
  deferralMs: number | null;
  dependencyWaitMs: number | null;
  queueWaitMs: number | null;
  startLatencyMs: number | null;
  runMs: number | null;
}

export type WaitKind = "deferral" | "dependency_wait" | "queue_wait" | "start_latency" | "run";

export function waitsOf(times: PhaseTimes): Waits {
  // A job that became ready was eligible at the latest then, whether or not anybody noted when.
  const eligibleAt = times.eligibleAt ?? times.readyAt;
  return {
    deferralMs: between(times.queuedAt, eligibleAt),
    dependencyWaitMs: between(eligibleAt, times.readyAt),
    queueWaitMs: between(times.readyAt, times.dispatchedAt),
    startLatencyMs: between(times.dispatchedAt, times.startedAt),
    runMs: times.runMs === null ? null : Math.max(0, times.runMs),
  };
}

/** The wait that goes on now and for how long already, or null for a job that has ended. */
export function currentWait(
  state: JobState,
  waitingFor: WaitingFor | null,
  times: PhaseTimes,
  nowMs: number,
): { kind: WaitKind; ms: number } | null {
  const since = (kind: WaitKind, at: number | null) => ({ kind, ms: between(at, nowMs) ?? 0 });
  switch (state) {
    case "created":
    case "queued":
      return waitingFor === "dependencies"
        ? since("dependency_wait", times.eligibleAt ?? times.queuedAt)
        : since("deferral", times.queuedAt);
    case "ready":
      return since("queue_wait", times.readyAt);
    case "dispatched":
      return since("start_latency", times.dispatchedAt);
    case "running":
      return since("run", times.startedAt);
    default:
      return null;
  }
}

function between(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from);
}
