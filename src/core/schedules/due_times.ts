/**
 * When a cron rule is due, by croner. Pure: moments are epoch milliseconds, and come in as arguments.
 *
 * Where clocks are put forward or back: a rule whose seconds, minutes and hours are all plain numbers,
 * lists or ranges names times of the day. Such a time that does not exist is due at the first moment
 * after the gap, and one that exists twice is due the first time only. Any other rule (with `*` or a step in
 * one of them) names an interval: it skips what does not exist, and is due in both of two equal hours.
 */
import { Cron } from "croner";

export interface Rule {
  /** Five fields, or six with seconds first. */
  cron: string;
  /** An IANA name. */
  timeZone: string;
}

export interface DueTimes {
  /** The first due time after `at`; null where none will ever come. */
  after(at: number): number | null;
  /** The latest due times up to and including `at`, newest first. */
  upTo(at: number, count: number): number[];
}

/**
 * Rules whose due times are remembered, the one used longest ago going first. A page of two hundred schedules asks for
 * the same ones at every look: counted anew, they were four fifths of its time.
 */
const RULES_MAX = 2_000;
const known = new Map<string, DueTimes>();

/** Throws for a rule that `cronProblem` or `timeZoneProblem` would refuse. */
export function dueTimes(rule: Rule): DueTimes {
  const key = `${rule.timeZone} ${rule.cron}`;
  const times = known.get(key) ?? remembered(counted(rule));
  known.delete(key);
  known.set(key, times);
  if (known.size > RULES_MAX) known.delete(known.keys().next().value!);
  return times;
}

function counted({ cron, timeZone }: Rule): DueTimes {
  const rule = new Cron(cron, {
    ...{ timezone: timeZone, paused: true },
    ...{ mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" },
  });
  return {
    after: (at) => rule.nextRun(new Date(at))?.getTime() ?? null,
    // What is asked for from a moment on does not count that moment itself.
    upTo: (at, count) => rule.previousRuns(count, new Date(at + 1)).map((date) => date.getTime()),
  };
}

/** As many as a list of next runs, and what was due before, ask for. */
const GAPS_MAX = 16;

/** Nothing is due between a moment and the first due time after it: asked again in between, that is known. */
function remembered({ after, upTo }: DueTimes): DueTimes {
  const gaps: { from: number; next: number | null }[] = [];
  let past = { from: Number.POSITIVE_INFINITY, count: 0, found: [] as number[] };
  const next = (at: number): number | null => {
    const gap = gaps.find((one) => one.from <= at && (one.next === null || at < one.next));
    if (gap) return gap.next;
    const found = after(at);
    gaps.push({ from: at, next: found });
    if (gaps.length > GAPS_MAX) gaps.shift();
    return found;
  };
  return {
    after: next,
    upTo: (at, count) => {
      const isSame = count === past.count && at >= past.from;
      if (isSame && at < (next(past.from) ?? Number.POSITIVE_INFINITY)) return [...past.found];
      past = { from: at, count, found: upTo(at, count) };
      return [...past.found];
    },
  };
}

/** The next `count` due times after `at`. */
export function nextDueTimes(rule: Rule, at: number, count: number): number[] {
  const times = dueTimes(rule);
  const found: number[] = [];
  for (
    let last = times.after(at);
    last !== null && found.length < count;
    last = times.after(last)
  ) {
    found.push(last);
  }
  return found;
}
