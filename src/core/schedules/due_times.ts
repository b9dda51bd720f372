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

/** Throws for a rule that `cronProblem` or `timeZoneProblem` would refuse. */
export function dueTimes({ cron, timeZone }: Rule): DueTimes {
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
