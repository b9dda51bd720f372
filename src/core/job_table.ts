/**
 * The job's statechart as a literal table of state × event, which the hot path runs.
 *
 * `job_machine.ts` is the specification; `test/core/job_machine_test.ts` compares both for every
 * pair. The table exists because three transitions of an XState machine actor cost 28 µs and of
 * a table actor 2 µs, and that difference decides whether the engine is the bottleneck.
 *
 * Guards are resolved before: whether a failure is retried is decided in `job_end.ts` and arrives
 * here as `fail_retry` or `fail_final`.
 */
import type { JobState } from "./job_state.ts";

export const JOB_EVENTS = [
  "queue",
  "wait",
  "ready",
  "dependency_failed",
  "dispatch",
  "start",
  "reject",
  "reject_backoff",
  "release",
  "succeed",
  "fail_retry",
  "fail_final",
  "lost_ready",
  "lost_final",
  "cancel",
  "retry",
] as const;
export type JobEventType = (typeof JOB_EVENTS)[number];

type Row = Partial<Record<JobEventType, JobState>>;

const LEASED: Row = {
  reject: "ready",
  reject_backoff: "queued",
  release: "ready",
  succeed: "succeeded",
  fail_retry: "queued",
  fail_final: "failed",
  lost_ready: "ready",
  lost_final: "failed",
  cancel: "cancelled",
};

export const JOB_TABLE: Readonly<Record<JobState, Readonly<Row>>> = {
  created: { queue: "queued" },
  queued: {
    wait: "queued",
    ready: "ready",
    dependency_failed: "dependency_failed",
    cancel: "cancelled",
  },
  ready: { dispatch: "dispatched", cancel: "cancelled" },
  dispatched: { ...LEASED, start: "running" },
  running: LEASED,
  succeeded: {},
  failed: { retry: "queued" },
  cancelled: { retry: "queued" },
  dependency_failed: { retry: "queued" },
};

/** The state that follows, or `undefined` where the event means nothing in this state. */
export function nextState(state: JobState, event: JobEventType): JobState | undefined {
  return JOB_TABLE[state][event];
}
