/** How states and reasons are called on screen. One place, so that every page says the same word. */

import type { JobState, Outcome, WaitingFor } from "../core/job_state.ts";
import type { WaitKind } from "../core/waits.ts";
import { escapeHtml } from "./ansi.ts";

const STATES: Readonly<Record<JobState, string>> = {
  created: "Created",
  queued: "Queued",
  ready: "Ready",
  dispatched: "Dispatched",
  running: "Running",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  dependency_failed: "Dependency failed",
};

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  succeeded: "Succeeded",
  failed: "Failed",
  timed_out: "Timed out",
  cancelled: "Cancelled",
  lost: "Worker lost",
  rejected: "Rejected",
  released: "Given back",
};

const WAITING: Readonly<Record<WaitingFor, string>> = {
  run_at: "until its time",
  backoff: "backing off",
  dependencies: "for dependencies",
};

const WAITS: Readonly<Record<WaitKind, string>> = {
  deferral: "Deferral",
  dependency_wait: "Dependencies",
  queue_wait: "In line",
  start_latency: "Starting",
  run: "Running",
};

export function stateLabel(state: JobState): string {
  return STATES[state];
}

export function outcomeLabel(outcome: Outcome): string {
  return OUTCOMES[outcome];
}

export function waitingLabel(waitingFor: WaitingFor): string {
  return WAITING[waitingFor];
}

export function waitLabel(kind: WaitKind): string {
  return WAITS[kind];
}

const ACRONYMS: Readonly<Record<string, string>> = {
  cpu: "CPU",
  cpus: "CPUs",
  id: "id",
  oom: "OOM",
  ram: "RAM",
};

/** "wait_and_priority" or "waitAndPriority" as a heading: "Wait and priority". */
export function headline(key: string): string {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[_\s]+/)
    .filter((word) => word !== "")
    .map((word) => ACRONYMS[word] ?? word);
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Text as HTML in which command-line flags do not break over two lines. */
export function flagged(text: string): string {
  return escapeHtml(text).replace(/--[a-z][\w-]*/g, (flag) => `<span class="nobr">${flag}</span>`);
}
