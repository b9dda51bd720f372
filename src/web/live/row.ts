/**
 * One live job as boards show it: read from its rows once, then kept true by phase events. Pure.
 */
import { isFinal, type JobState, type Outcome, type WaitingFor } from "../../core/job_state.ts";
import type { PhaseTimes } from "../../core/waits.ts";
import type { FeedEvent } from "../../engine/feed.ts";

export interface LiveRow {
  id: string;
  org: number;
  queue: number;
  name: number;
  state: JobState;
  waitingFor: WaitingFor | null;
  attempt: number;
  worker: number | null;
  times: PhaseTimes & { endedAt: number | null };
  /** When it entered its state, ms since the epoch. */
  since: number;
  outcome: Outcome | null;
  reason: string | null;
  /** Whether an event has moved it since it was read. */
  heard: boolean;
  /** What events do not carry; null until it was read. */
  details: RowDetails | null;
}

export interface RowDetails {
  priority: number;
  maxAttempts: number;
  failures: number;
  score: number | null;
  /** 0 to 1. */
  progress: number | null;
  progressNote: string | null;
  cancel: "asked" | "acknowledged" | null;
  createdAt: number;
}

/** A job first heard of by an event. Its times before that event are not known yet. */
export function rowFromEvent(event: FeedEvent): LiveRow {
  const row: LiveRow = {
    id: event.job,
    org: event.org,
    queue: event.queue,
    name: event.name,
    state: event.state,
    waitingFor: null,
    attempt: event.attempt,
    worker: null,
    times: {
      queuedAt: event.at,
      eligibleAt: null,
      readyAt: null,
      dispatchedAt: null,
      startedAt: null,
      runMs: null,
      endedAt: null,
    },
    since: event.at,
    outcome: null,
    reason: null,
    heard: true,
    details: null,
  };
  enterPhase(row, event);
  return row;
}

/**
 * Takes one event; false where it says nothing new. Events come in the order of their commits, and
 * that order counts: times do not tell it, for an end bears the time at which the worker knew of it.
 *
 * A row just read may hold what the next events tell, so those with an older time are left out. If
 * that is ever wrong, the job's later events mend it; an end is never left out.
 */
export function applyEvent(row: LiveRow, event: FeedEvent): boolean {
  const isOld = event.at < row.since || event.attempt < row.attempt;
  if (!row.heard && isOld && !isFinal(event.state)) return false;
  row.heard = true;
  if (event.from !== event.state || event.waitingFor !== row.waitingFor) enterPhase(row, event);
  else if (isAsked(event) && row.details) row.details.cancel = "asked";
  return true;
}

function isAsked({ reason }: FeedEvent): boolean {
  return reason === "cancel_requested" || reason === "free_requested";
}

function enterPhase(row: LiveRow, event: FeedEvent): void {
  const { times } = row;
  row.state = event.state;
  row.waitingFor = event.waitingFor;
  row.attempt = event.attempt;
  row.outcome = event.outcome;
  row.reason = event.reason;
  row.since = event.at;
  switch (event.state) {
    case "created":
    case "queued":
      // Only the first wait begins a new line of times; the others continue it.
      if (event.from !== "queued") clearTimes(times, event.at);
      if (event.waitingFor === "dependencies") times.eligibleAt = event.at;
      row.worker = null;
      break;
    case "ready":
      if (event.from !== "queued" && event.from !== "created") clearTimes(times, event.at);
      times.eligibleAt ??= event.at;
      times.readyAt = event.at;
      row.worker = null;
      break;
    case "dispatched":
      times.dispatchedAt = event.at;
      times.startedAt = null;
      row.worker = event.worker ?? row.worker;
      break;
    case "running":
      times.startedAt = event.at;
      row.worker = event.worker ?? row.worker;
      break;
    default:
      // How long it ran is for its worker to say, and read with the details.
      times.endedAt = event.at;
      row.worker = event.worker ?? row.worker;
  }
}

function clearTimes(times: LiveRow["times"], at: number): void {
  times.queuedAt = at;
  times.eligibleAt = null;
  times.readyAt = null;
  times.dispatchedAt = null;
  times.startedAt = null;
  times.runMs = null;
  times.endedAt = null;
}

/** On a worker, in line, or over. */
export type RowGroup = "active" | "waiting" | "ended";

export function groupOf(state: JobState): RowGroup {
  if (isFinal(state)) return "ended";
  return state === "dispatched" || state === "running" ? "active" : "waiting";
}
