/**
 * One live job as boards show it: read from its rows once, then kept true by phase events. Pure.
 */
import { isFinal, type JobState, type Outcome, type WaitingFor } from "../core/job_state.ts";
import type { PhaseTimes } from "../core/waits.ts";
import type { FeedEvent } from "../engine/feed.ts";

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
    details: null,
  };
  enterPhase(row, event);
  return row;
}

/**
 * Takes one event. False where it says nothing new: events that a snapshot already held may come
 * once more, and must not take a row back to an older state.
 */
export function applyEvent(row: LiveRow, event: FeedEvent): boolean {
  if (event.at < row.since || event.attempt < row.attempt) return false;
  enterPhase(row, event);
  return true;
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
