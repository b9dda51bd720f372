/**
 * What becomes of an alert at one look: inactive, pending, firing, resolved. Pure.
 *
 * Not known is neither yes nor no: it makes nothing pending, lets nothing fire, and resolves nothing. Only what
 * was not known for a week is given up, and says so.
 */
import type { Truth } from "./verdict.ts";

export interface AlertState {
  state: "pending" | "firing";
  /** The condition has held since. */
  since: number;
  /** It held last. */
  seenAt: number;
  /** Anything was known last. */
  knownAt: number;
  firedAt: number | null;
  /** Of a firing one: the condition has not held since. */
  clearSince: number | null;
}

/** `lapsed`: given up, because nothing was known for long. */
export type AlertEvent = "firing" | "resolved" | "lapsed";

export interface Step {
  /** Null: inactive. */
  after: AlertState | null;
  event: AlertEvent | null;
}

/** A firing one goes on so long after its condition ended: what comes and goes is one alert. */
export const KEEP_FIRING_MS = 5 * 60_000;
export const LAPSE_MS = 7 * 86_400_000;
/** Looks are half a minute apart: a hole this long is none. */
const GAP_MS = 2 * 60_000;

export interface Look {
  truth: Truth;
  now: number;
  forMs: number;
  /** 0 where somebody switched the rule off. */
  keepMs?: number;
}

export function stepAlert(before: AlertState | null, look: Look): Step {
  if (look.truth === "unknown") return notKnown(before, look);
  if (look.truth === "true") return holds(before, look);
  return holdsNot(before, look);
}

function notKnown(before: AlertState | null, { now, forMs }: Look): Step {
  if (before === null) return { after: null, event: null };
  if (before.state === "pending") {
    const isOver = now - before.seenAt > Math.max(forMs, GAP_MS);
    return { after: isOver ? null : before, event: null };
  }
  if (now - before.knownAt > LAPSE_MS) return { after: null, event: "lapsed" };
  return { after: before, event: null };
}

/** Across a restart the time it has held goes on, as long as the hole is shorter than what it has to hold. */
function holds(before: AlertState | null, { now, forMs }: Look): Step {
  const isContinued =
    before !== null &&
    (before.state === "firing" || now - before.seenAt <= Math.max(forMs, GAP_MS));
  const since = isContinued ? Math.min(before.since, now) : now;
  const known = { since, seenAt: now, knownAt: now, clearSince: null };
  if (before?.state === "firing") return { after: { ...before, ...known }, event: null };
  if (now - since < forMs) {
    return { after: { ...known, state: "pending", firedAt: null }, event: null };
  }
  return { after: { ...known, state: "firing", firedAt: now }, event: "firing" };
}

function holdsNot(before: AlertState | null, { now, keepMs = KEEP_FIRING_MS }: Look): Step {
  if (before === null || before.state === "pending") return { after: null, event: null };
  const clearSince = before.clearSince ?? now;
  if (now - clearSince >= keepMs) return { after: null, event: "resolved" };
  return { after: { ...before, clearSince, knownAt: now }, event: null };
}
