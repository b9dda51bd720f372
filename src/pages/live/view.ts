/** Rows of the live page, ready to print. Pure. */
import { isFinal } from "../../core/job_state.ts";
import { waitsOf } from "../../core/waits.ts";
import type { Interner } from "../../engine/interner.ts";
import { count, duration, shortId, signed } from "../../web/format.ts";
import type { StateCounts } from "../../web/live/counts.ts";
import { LIVE_STATES, type LiveFilter } from "../../web/live/filter.ts";
import type { LiveRow } from "../../web/live/row.ts";
import { SEARCHED_MAX } from "../../web/live/snapshot.ts";
import { type Entry, sortKey } from "../../web/live/table.ts";
import { stateLabel, waitingLabel } from "../../web/words.ts";

/** A span that is over, or one that a script keeps counting. */
export interface Span {
  text: string;
  /** Ms since the epoch, where it still grows. */
  since: number | null;
}

export interface RowModel {
  id: string;
  shortId: string;
  sort: string;
  name: string;
  org: string;
  queue: string;
  worker: string;
  state: string;
  label: string;
  ended: boolean;
  attempt: string;
  priority: string;
  score: string;
  waited: Span;
  ran: Span;
  /** 0 to 1, as SVG wants it. */
  progress: number | null;
  note: string;
  cancel: string;
}

export function rowModel(entry: Entry, names: Interner, now: number): RowModel {
  const { row } = entry;
  const { details } = row;
  return {
    id: row.id,
    shortId: shortId(row.id),
    sort: sortKey(entry),
    name: names.jobName(row.name),
    org: names.orgName(row.org),
    queue: names.queueName(row.queue),
    worker: row.worker === null ? "" : names.workerName(row.worker),
    state: row.state,
    label: stateLabel(row.state),
    ended: isFinal(row.state),
    attempt: attemptText(row),
    priority: priorityText(details?.priority ?? 0),
    score: scoreText(details?.score ?? null),
    waited: waitedSpan(row, now),
    ran: ranSpan(row, now),
    progress: details?.progress ?? null,
    note: noteOf(row),
    cancel: cancelText(row),
  };
}

function scoreText(score: number | null): string {
  return score === null ? "" : signed(score, 1).replace("+", "");
}

function attemptText(row: LiveRow): string {
  const max = row.details?.maxAttempts ?? 1;
  if (row.attempt <= 1 && max <= 1) return "";
  return max > 1 ? `${row.attempt} of ${max}` : String(row.attempt);
}

function priorityText(priority: number): string {
  if (priority === 0) return "";
  return priority > 0 ? `+${priority}` : `−${-priority}`;
}

/** From the moment it was queued until it had a worker. */
function waitedSpan(row: LiveRow, now: number): Span {
  const { queuedAt, dispatchedAt, endedAt } = row.times;
  // First heard of when it was dispatched: how long it had waited is not known yet.
  if (row.details === null && row.times.readyAt === null && dispatchedAt !== null) {
    return { text: "", since: null };
  }
  const until = dispatchedAt ?? endedAt;
  if (until !== null) return { text: duration(until - queuedAt), since: null };
  return { text: duration(now - queuedAt), since: queuedAt };
}

function ranSpan(row: LiveRow, now: number): Span {
  const { startedAt } = row.times;
  if (row.state === "running" && startedAt !== null) {
    return { text: duration(now - startedAt), since: startedAt };
  }
  if (!isFinal(row.state)) return { text: "", since: null };
  const { runMs } = waitsOf(row.times);
  return { text: runMs === null ? "" : duration(runMs), since: null };
}

function noteOf(row: LiveRow): string {
  if (row.state === "queued" && row.waitingFor) return waitingLabel(row.waitingFor);
  if (row.state === "running") return row.details?.progressNote ?? "";
  if (row.state === "failed" || row.state === "cancelled") return row.reason ?? "";
  return "";
}

function cancelText(row: LiveRow): string {
  if (isFinal(row.state)) return "";
  if (row.details?.cancel === "asked") return "cancel asked";
  return row.details?.cancel === "acknowledged" ? "cancelling" : "";
}

// Around the table

export interface ChipModel {
  state: string;
  label: string;
  count: number;
  checked: boolean;
}

export function chipModels(filter: LiveFilter, counts: StateCounts): ChipModel[] {
  return LIVE_STATES.map((state) => ({
    state,
    label: stateLabel(state),
    count: counts[state],
    checked: filter.states.includes(state),
  }));
}

/** Says where the list is only a part, and what to do about it. Empty where it is whole. */
export function partSentence(
  shown: { active: number; waiting: number },
  more: { active: boolean; waiting: boolean; searchedPart: boolean },
  filtered: boolean,
): string {
  const parts: string[] = [];
  if (more.active) parts.push(`${shown.active} of the jobs on workers`);
  if (more.waiting) parts.push(`${shown.waiting} of the waiting jobs`);
  const head = parts.length > 0 ? `Showing ${parts.join(" and ")}.` : "";
  const searched =
    filtered && more.searchedPart
      ? `The filter looks through the newest ${count(SEARCHED_MAX)} waiting jobs. All there are: search under Jobs.`
      : "";
  const advice = parts.length > 0 ? "Narrow by queue, name, worker or text to see others." : "";
  return [head, searched, advice].filter((text) => text !== "").join(" ");
}
