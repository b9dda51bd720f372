/** Whether a name's last success is too long ago for how often it is to run. Pure. */
import { type DueTimes, dueTimes, type Rule } from "../schedules/due_times.ts";
import { type Judgement, STALENESS } from "./thresholds.ts";

/** `since`: nothing was due by it before. */
export interface HeldRule extends Rule {
  since?: number;
}

/** How often a name is to run. */
export type Expectation =
  /** By the rules of its schedules that are not paused; `since`: the first of them holds. */
  | { kind: "scheduled"; rules: readonly HeldRule[]; since: number }
  /** It has schedules, and all of them are paused. */
  | { kind: "paused" }
  /** It runs where there is something to do. */
  | { kind: "as_needed" }
  /** Somebody has said so. */
  | { kind: "told"; intervalSeconds: number; graceSeconds: number | null; since: number }
  | { kind: "unknown" };

/** Of a name: when it ran and succeeded last, epoch milliseconds; null: never. */
export interface LastRuns {
  runAt: number | null;
  successAt: number | null;
}

export interface Staleness {
  judgement: Judgement;
  /** Since the last success, milliseconds; null: it never succeeded. */
  sinceMs: number | null;
  /** It ran, and never ended well. */
  neverSucceeded: boolean;
  /** When it becomes overdue; null where nothing says so. */
  warningAt: number | null;
  badAt: number | null;
  /** Between two runs as they are expected next, milliseconds. */
  intervalMs: number | null;
  nextAt: number | null;
}

/** Due times that one look computes at most, each a fraction of a millisecond. */
const DUE_MAX = STALENESS.badIntervals;

export function stalenessOf(expected: Expectation, last: LastRuns, now: number): Staleness {
  const sinceMs = last.successAt === null ? null : Math.max(0, now - last.successAt);
  const neverSucceeded = last.successAt === null && last.runAt !== null;
  const limits = limitsOf(expected, last);
  const next = nextOf(expected, now);
  const common = { sinceMs, neverSucceeded, ...limits, ...next };
  return { ...common, judgement: judgementOf(expected, common, now) };
}

function judgementOf(
  { kind }: Expectation,
  { neverSucceeded, sinceMs, warningAt, badAt }: Omit<Staleness, "judgement">,
  now: number,
): Judgement {
  if (kind === "paused") return "unknown";
  if (neverSucceeded) return "bad";
  if (kind === "as_needed") return "unknown";
  if (badAt !== null && now >= badAt) return "bad";
  if (warningAt !== null && now >= warningAt) return "warning";
  // A name that never ran and is not due yet is no success.
  return sinceMs === null ? "unknown" : "good";
}

function limitsOf(expected: Expectation, last: LastRuns): Pick<Staleness, "warningAt" | "badAt"> {
  const { warningIntervals, badIntervals } = STALENESS;
  if (expected.kind === "paused" || expected.kind === "as_needed")
    return { warningAt: null, badAt: null };
  if (expected.kind === "unknown") {
    const from = last.successAt;
    if (from === null) return { warningAt: null, badAt: null };
    return {
      warningAt: from + STALENESS.warningSeconds * 1_000,
      badAt: from + STALENESS.badSeconds * 1_000,
    };
  }
  const from = waitBegins(last.successAt, expected.since);
  if (expected.kind === "told") {
    const graceMs = (expected.graceSeconds ?? STALENESS.graceSeconds) * 1_000;
    const at = (intervals: number) => from + intervals * expected.intervalSeconds * 1_000 + graceMs;
    return { warningAt: at(warningIntervals), badAt: at(badIntervals) };
  }
  // The due times themselves, so that a rule for weekdays expects nothing of a weekend.
  const due = dueAfter(expected.rules, from, DUE_MAX);
  const at = (intervals: number) => {
    const moment = due[intervals - 1];
    return moment === undefined ? null : moment + STALENESS.graceSeconds * 1_000;
  };
  return { warningAt: at(warningIntervals), badAt: at(badIntervals) };
}

function nextOf(expected: Expectation, now: number): Pick<Staleness, "intervalMs" | "nextAt"> {
  if (expected.kind === "told") {
    return { intervalMs: expected.intervalSeconds * 1_000, nextAt: null };
  }
  if (expected.kind !== "scheduled") return { intervalMs: null, nextAt: null };
  const [next, after] = dueAfter(expected.rules, now, 2);
  return {
    intervalMs: next === undefined || after === undefined ? null : after - next,
    nextAt: next ?? null,
  };
}

/** From when on a success is waited for: since the last one, but not before anything said when one is due. */
export function waitBegins(successAt: number | null, since: number): number {
  return Math.max(successAt ?? since, since);
}

/** The first due times of any of these rules after a moment, none twice. */
export function dueAfter(rules: readonly HeldRule[], from: number, count: number): number[] {
  const heads = rules.map((rule) => {
    const times = dueTimes(rule);
    return { times, next: times.after(Math.max(from, rule.since ?? from)) };
  });
  const found: number[] = [];
  while (found.length < count) {
    const next = Math.min(...heads.map((head) => head.next ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(next)) break;
    found.push(next);
    for (const head of heads) if (head.next === next) head.next = advance(head.times, next);
  }
  return found;
}

function advance(times: DueTimes, from: number): number | null {
  return times.after(from);
}
