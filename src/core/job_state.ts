/** The states a job moves through, and the small questions every layer asks of them. */

export const JOB_STATES = [
  "created",
  "queued",
  "ready",
  "dispatched",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "dependency_failed",
] as const;
export type JobState = (typeof JOB_STATES)[number];

export const FINAL_STATES = ["succeeded", "failed", "cancelled", "dependency_failed"] as const;
export type FinalState = (typeof FINAL_STATES)[number];

/** What a `queued` job waits for. It waits for one thing at a time, in this order. */
export const WAITING_FOR = ["run_at", "backoff", "dependencies"] as const;
export type WaitingFor = (typeof WAITING_FOR)[number];

/** How one attempt ended. `released`: given back unharmed (drained, never started). */
export const OUTCOMES = [
  "succeeded",
  "failed",
  "timed_out",
  "cancelled",
  "lost",
  "rejected",
  "released",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export function isFinal(state: JobState): state is FinalState {
  return (FINAL_STATES as readonly string[]).includes(state);
}

/** A job that ended badly can be taken back to `queued` (engine rule 19). */
export function canRetry(state: JobState): boolean {
  return state === "failed" || state === "cancelled" || state === "dependency_failed";
}

export function canCancel(state: JobState): boolean {
  return !isFinal(state);
}

/** An attempt is alive: a worker holds a lease on it. */
export function isLeased(state: JobState): boolean {
  return state === "dispatched" || state === "running";
}
