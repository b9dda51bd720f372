/**
 * What a schedule has to do next. One step at a time: each is a transaction that moves `settledUntil`, and
 * what comes after is decided anew. Pure; moments are epoch milliseconds.
 */
import { type DueTimes, dueTimes, type Rule } from "./due_times.ts";

export const CATCH_UPS = ["none", "last", "all"] as const;
/** What happens to due times that nobody was there for. */
export type CatchUp = (typeof CATCH_UPS)[number];

export interface Standing extends Rule {
  id: string;
  /** All due times up to here have been dealt with. */
  settledUntil: number;
  /** A pause ended here: what was due until then was missed. */
  resumedAt: number | null;
  catchUp: CatchUp;
  /** With `all`: the newest so many. */
  catchUpMax: number;
  jitterSeconds: number;
}

/** `nominal` as the rule says; `at` with the jitter. */
export interface Due {
  nominal: number;
  at: number;
}

export type Step =
  /** Nothing will ever be due again. */
  | { kind: "never" }
  | { kind: "wait"; due: Due }
  | { kind: "fire"; due: Due; isMissed: boolean }
  /** Due times up to `through` are left out: `count` of them, at least. */
  | { kind: "skip"; through: number; count: number; isMore: boolean };

/** Later than this is missed: a server that is started anew is back by then. */
export const LATE_MAX_MS = 60_000;
/** So many skipped ones are counted, for each costs a fraction of a millisecond. */
export const COUNTED_MAX = 100;

/** `lookedAt`: when a server came to look at what is due. What it has not come to since then is not missed. */
export function nextStep(standing: Standing, now: number, lookedAt = now): Step {
  const times = dueTimes(standing);
  const next = nextDue(standing, standing.settledUntil, times);
  if (next === null) return { kind: "never" };
  if (next.at > now) return { kind: "wait", due: next };
  const missedUntil = Math.max(
    lookedAt - LATE_MAX_MS,
    standing.resumedAt ?? Number.NEGATIVE_INFINITY,
  );
  if (next.at > missedUntil) return { kind: "fire", due: next, isMissed: false };
  const first = firstKept(standing, times, missedUntil);
  if (first === next.nominal) return { kind: "fire", due: next, isMissed: true };
  return skipped(times, standing.settledUntil, first, missedUntil, standing);
}

/** The first due time after `at`, with its jitter: never as late as the one after it. */
export function nextDue(
  standing: Pick<Standing, "id" | "jitterSeconds" | keyof Rule>,
  at: number,
  times: DueTimes = dueTimes(standing),
): Due | null {
  const nominal = times.after(at);
  if (nominal === null) return null;
  const { id, jitterSeconds } = standing;
  if (jitterSeconds === 0) return { nominal, at: nominal };
  const after = times.after(nominal);
  const gap = after === null ? Number.POSITIVE_INFINITY : after - nominal;
  const room = Math.min(jitterSeconds * 1000, gap);
  return { nominal, at: nominal + Math.floor(chanceOf(`${id} ${nominal}`) * room) };
}

/** The first of the missed due times that fires all the same; null where none does. */
function firstKept(standing: Standing, times: DueTimes, missedUntil: number): number | null {
  const { catchUp, settledUntil } = standing;
  if (catchUp === "none") return null;
  const wanted = catchUp === "last" ? 1 : standing.catchUpMax;
  // The newest may have been put off by its jitter, and then it is not missed.
  const kept = times
    .upTo(missedUntil, wanted + 1)
    .filter((nominal) => nominal > settledUntil && isBy(standing, times, nominal, missedUntil))
    .slice(0, wanted);
  return kept.at(-1) ?? null;
}

function isBy(standing: Standing, times: DueTimes, nominal: number, moment: number): boolean {
  return nextDue(standing, nominal - 1, times)!.at <= moment;
}

/** All due times before `first`, or all missed ones where it is null. */
function skipped(
  times: DueTimes,
  after: number,
  first: number | null,
  missedUntil: number,
  standing: Standing,
): Step {
  const edge = first === null ? missedUntil : first - 1;
  const newest = times
    .upTo(edge, COUNTED_MAX + 2)
    .filter((nominal) => nominal > after && isBy(standing, times, nominal, missedUntil));
  const count = Math.min(newest.length, COUNTED_MAX);
  return { kind: "skip", through: newest[0]!, count, isMore: newest.length > count };
}

/** From 0 up to, not including, 1: always the same for the same text (FNV-1a, mixed once more). */
function chanceOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
