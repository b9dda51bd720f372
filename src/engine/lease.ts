/**
 * A live attempt: the job actor and what its end needs. One exists from dispatch to the end of the
 * attempt, in the process that holds the worker's session (architecture: "a live XState actor").
 */
import { type AnyActorRef, createActor, fromTransition } from "xstate";
import { backoffMs } from "../core/backoff.ts";
import { type Ending, FREED } from "../core/job_end.ts";
import { type JobActorRef, jobLogic } from "../core/job_logic.ts";
import { isFinal } from "../core/job_state.ts";
import { type JobEventType, nextState } from "../core/job_table.ts";
import type { FinalEnd, ReturnedEnd } from "../db/statements/attempt_columns.ts";
import type { LeaseRow } from "../db/statements/leases.ts";
import type { FinishedReport, Items } from "../messages/frames.ts";

export interface Lease {
  id: string;
  session: number;
  worker: number;
  token: string;
  attempt: number;
  org: number;
  queue: number;
  name: number;
  /** As `Waiting` has it; null too where it was resumed. */
  key: string | null;
  shape: number;
  failures: number;
  max_attempts: number;
  lost: number;
  rejections: number;
  cancelRequested: boolean;
  /** Only its slot is to be freed: it goes back in line. */
  requeueRequested: boolean;
  cancelActor: string | null;
  cancelReason: string | null;
  /** Of its worker, from 1. Null until a session gave it one. */
  slot: number | null;
  /** The beat that leased it here; null where it was resumed. */
  beat: string | null;
  /** Milliseconds, database time; null until the worker said so. */
  startedAt: number | null;
  timeoutSeconds: number | null;
  backoff: { base_seconds: number; factor: number; max_seconds: number };
  ramMb: number;
  cpus: number;
  progress: number | null;
  progressNote: string | null;
  /** What the worker counted of this attempt so far. */
  items: Items | null;
  actor: JobActorRef;
  /** Nothing depended on the job when it was leased: its end may be written by one statement. */
  plain: boolean;
  /** Its latest `submit`, while it is being written: the end waits for it. */
  submitting: Promise<void> | null;
  /** An end was reported and is being written: the slot is free already. */
  ending: boolean;
}

/**
 * All job actors are children of one root and live in its system: as roots of their own, each would
 * make a system too, which took three times as long (14 against 4 µs, 11 % of the server's time).
 */
const root = createActor(
  fromTransition((_, event: { type: "stop"; child: AnyActorRef }, { stopChild }) => {
    stopChild(event.child);
    return null;
  }, null),
).start();

export function createJobActor(state: "dispatched" | "running"): JobActorRef {
  const actor = createActor(jobLogic, { input: { state }, parent: root });
  actor.start();
  return actor;
}

/** A child is stopped through its parent. Twice does no harm. */
export function stopJobActor(actor: JobActorRef): void {
  root.send({ type: "stop", child: actor });
}

export function leaseOf(row: LeaseRow, reserved: { ramMb: number; cpus: number }): Lease {
  return {
    id: row.id,
    session: row.session_id,
    worker: row.worker_id,
    token: row.token,
    attempt: row.attempt,
    org: row.org_id,
    queue: row.queue_id,
    name: row.name_id,
    key: null,
    shape: row.shape_id,
    failures: row.failures,
    max_attempts: row.max_attempts,
    lost: row.lost,
    rejections: row.rejections,
    cancelRequested: row.cancel_requested,
    requeueRequested: row.cancel_requeue,
    cancelActor: row.cancel_actor,
    cancelReason: row.cancel_reason,
    slot: row.slot,
    beat: null,
    startedAt: row.started_ms,
    timeoutSeconds: row.timeout_seconds,
    backoff: {
      base_seconds: row.backoff_base,
      factor: row.backoff_factor,
      max_seconds: row.backoff_max,
    },
    ...reserved,
    progress: null,
    progressNote: null,
    items: itemsOf(row),
    submitting: null,
    actor: createJobActor(row.state),
    plain: false,
    ending: false,
  };
}

function itemsOf({
  items_success: success,
  items_failed: failed,
  items_skipped: skipped,
}: LeaseRow) {
  if (success === null) return null;
  return { success, failed: failed ?? 0, skipped: skipped ?? 0 };
}

/** `event`: what the job's actor is told once this is committed. */
export type End =
  | { event: JobEventType; final: FinalEnd }
  | { event: JobEventType; returned: ReturnedEnd };

export interface EndFacts {
  /** Milliseconds, database time. */
  at: number;
  random: number;
  report?: FinishedReport;
  error?: string | null;
  /** The worker must not get this job again. */
  rejectedBy?: number | null;
}

/** What the end of an attempt writes. The statechart has the word on what state follows. */
export function endOf(lease: Lease, ending: Ending, facts: EndFacts): End {
  const from =
    lease.startedAt === null && facts.report?.run_ms === undefined ? "dispatched" : "running";
  const state = nextState(from, ending.event) ?? nextState("dispatched", ending.event);
  if (state === undefined) throw new Error(`no state follows ${from} on ${ending.event}`);
  const { report } = facts;
  const asked = ending.event === "cancel" || ending.reason === FREED;
  const common = {
    job: lease.id,
    queue: lease.queue,
    session: lease.session,
    token: lease.token,
    outcome: ending.outcome,
    reason: (asked ? lease.cancelReason : null) ?? ending.reason ?? report?.reason ?? null,
    error: facts.error ?? report?.error ?? null,
    exitCode: report?.exit_code ?? null,
    signal: report?.signal ?? null,
    startedAt: lease.startedAt,
    endedAt: facts.at,
    runMs: report?.run_ms ?? null,
    usage: report?.usage ?? null,
    items: report?.items ?? lease.items,
    logBytes: report?.log_bytes ?? null,
    failures: ending.failures,
    lost: ending.lost,
    rejections: ending.rejections,
    actor: asked ? lease.cancelActor : null,
  };
  if (isFinal(state)) {
    const final = Object.assign(common, { state, result: report?.result });
    return { event: ending.event, final };
  }
  const wait =
    ending.backoff === null ? null : backoffMs(lease.backoff, ending.backoff, facts.random);
  return {
    event: ending.event,
    returned: {
      ...common,
      state: state as "queued" | "ready",
      waitingFor: state === "queued" ? "backoff" : null,
      dueAt: state === "queued" ? facts.at + (wait ?? 0) : null,
      rejectedBy: facts.rejectedBy ?? null,
    },
  };
}
