/** Which live jobs a viewer wants. The same question is asked of rows in SQL and of events here. */
import type { JobState } from "../../core/job_state.ts";
import { clipText } from "../../core/storable.ts";
import type { Interner } from "../../engine/interner.ts";
import type { LiveRow } from "./row.ts";

export const LIVE_STATES = ["running", "dispatched", "ready", "queued"] as const;
export type LiveState = (typeof LIVE_STATES)[number];

export interface LiveFilter {
  /** Empty: all. */
  states: LiveState[];
  org: string;
  queue: string;
  name: string;
  worker: string;
  /** Part of a name, queue, worker or id; case does not matter. */
  q: string;
}

export const NO_FILTER: LiveFilter = {
  states: [],
  org: "",
  queue: "",
  name: "",
  worker: "",
  q: "",
};
const TEXT_MAX = 128;

/** Unknown words are dropped, so that an old link still shows something. */
export function parseFilter(params: URLSearchParams): LiveFilter {
  const text = (key: string) => clipText((params.get(key) ?? "").trim(), TEXT_MAX);
  const wanted = new Set(params.getAll("state"));
  return {
    states: LIVE_STATES.filter((state) => wanted.has(state)),
    org: text("org"),
    queue: text("queue"),
    name: text("name"),
    worker: text("worker"),
    q: text("q").toLowerCase(),
  };
}

/** The filter in a URL, in one order, so that equal filters are equal text. Empty: no filter. */
export function filterQuery(filter: LiveFilter): string {
  const params = new URLSearchParams();
  for (const state of filter.states) params.append("state", state);
  for (const key of ["org", "queue", "name", "worker", "q"] as const) {
    if (filter[key] !== "") params.set(key, filter[key]);
  }
  return params.toString();
}

export function isFiltered(filter: LiveFilter): boolean {
  return filterQuery(filter) !== "";
}

/** Whether a row passes. A job that has ended passes by everything but its state. */
export function matches(filter: LiveFilter, row: LiveRow, names: Interner): boolean {
  if (filter.states.length > 0 && !passesState(filter.states, row.state)) return false;
  if (filter.org !== "" && names.orgName(row.org) !== filter.org) return false;
  if (filter.queue !== "" && names.queueName(row.queue) !== filter.queue) return false;
  if (filter.name !== "" && names.jobName(row.name) !== filter.name) return false;
  const worker = row.worker === null ? "" : names.workerName(row.worker);
  if (filter.worker !== "" && worker !== filter.worker) return false;
  if (filter.q === "") return true;
  const texts = [names.jobName(row.name), names.queueName(row.queue), worker, row.id];
  return texts.some((text) => text.toLowerCase().includes(filter.q));
}

function passesState(states: readonly LiveState[], state: JobState): boolean {
  const live = (LIVE_STATES as readonly string[]).includes(state);
  return live ? (states as readonly string[]).includes(state) : state !== "created";
}
