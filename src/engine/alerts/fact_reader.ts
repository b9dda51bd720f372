/** What is known of every job name that rules look at, at one moment: a few bounded reads for all of them. */

import {
  DUES_MAX,
  type Expected,
  type JobFacts,
  RUNS_A_WINDOW,
  WINDOW_MAX_MS,
} from "../../core/alerts/facts.ts";
import { dueAfter, type HeldRule, waitBegins } from "../../core/background/staleness.ts";
import { OWN_INTERVALS, SYSTEM_ORG_ID } from "../../core/background/system_org.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import {
  readFirstFailures,
  readRunMinutes,
  readWeekOfRuns,
} from "../../db/statements/alerts/run_minutes.ts";
import {
  type DueRow,
  readDueNames,
  readQueuesAt,
  readToldIntervals,
  readWatchedNames,
  type ToldInterval,
  type WatchedName,
} from "../../db/statements/alerts/watched_names.ts";
import { type OwnRuns, readOwnRuns } from "../../db/statements/background/own_runs.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const BEFORE_MS = 10 * MINUTE;
/** Without any limit that asks for more. */
const LEAST_WINDOW_MS = 10 * MINUTE;
/** What is computed of schedules is kept for the next look; beyond this many anew. */
const DUES_KEPT = 5_000;
/** Own runs are written once a minute: so late, and somewhat later, one may come that the rollups have passed by. */
const OWN_LATE_MS = 10 * MINUTE;
const OWN_NAMES = Object.keys(OWN_INTERVALS).map((name) => ({ org: SYSTEM_ORG_ID, name }));

export interface NamedFacts {
  name: WatchedName;
  facts: JobFacts;
}

export interface Look {
  /** Everything that ended before it is in the rollups. */
  until: number;
  now: number;
  /** The longest window that the limits of a name ask for, milliseconds. */
  windowOf(name: WatchedName): number;
  /** Of these names alone. */
  only?: readonly number[];
}

export class FactReader {
  /** Due times are the same at every look until a run succeeds. */
  #dues = new Map<string, readonly number[]>();
  readonly #rollupIntervalMs: number;

  constructor(rollupIntervalSeconds: number) {
    this.#rollupIntervalMs = rollupIntervalSeconds * 1_000;
  }

  async read(sql: Sql | Transaction, look: Look): Promise<NamedFacts[]> {
    const schedules = await readDueNames(sql);
    const told = await readToldIntervals(sql);
    const due = [...schedules, ...told, ...OWN_NAMES];
    const watched = await readWatchedNames(sql, look.now, due, look.only ?? null);
    const ownSince = Math.max(look.until - OWN_LATE_MS, look.now - 7 * DAY);
    const own = await readOwnRuns(sql, ownSince, look.now);
    const names = watched.map((name) => asOf(name, own.get(name.id), look));
    const bySchedule = Map.groupBy(schedules, keyOf);
    const byTold = new Map(told.map((one) => [keyOf(one), one]));
    const expected = names.map((name) => {
      const key = keyOf(name);
      const said = byTold.get(key) ?? this.#ownInterval(name);
      return this.#expected(name, bySchedule.get(key) ?? [], said, look.until);
    });
    if (this.#dues.size > DUES_KEPT) this.#dues.clear();
    const observed = await observedPaces(sql, names, expected, look.until);
    const windows = names.map((name, at) => {
      const { id, org } = name;
      const windowMs = windowFor(expected[at]!, observed.get(id) ?? null, look.windowOf(name));
      return { id, org, from: Math.floor((look.until - windowMs) / MINUTE) * MINUTE };
    });
    const minutes = await readRunMinutes(sql, windows, look.until);
    const before = await readQueuesAt(
      sql,
      look.now - BEFORE_MS,
      names.map(({ id }) => id),
    );
    const never = names.filter((name) => name.lastSuccessAt === null && name.lastRunAt !== null);
    const first = await readFirstFailures(sql, never, look.until);
    return names.map((name, at) => ({
      name,
      facts: factsOf(name, {
        ...{ until: look.until, minutes: minutes.get(name.id) ?? [], expected: expected[at]! },
        observedMs: observed.get(name.id) ?? null,
        firstRunAt: first.get(name.id) ?? own.get(name.id)?.firstAt ?? null,
        lastRunsUntil: name.org === SYSTEM_ORG_ID ? look.now : look.until,
        queueBefore: before === null ? null : (before.get(name.id) ?? 0),
      }),
    }));
  }

  #expected(
    name: WatchedName,
    schedules: readonly DueRow[],
    told: ToldInterval | undefined,
    until: number,
  ): Expected {
    const running = schedules.filter((one) => !one.isPaused);
    if (schedules.length > 0 && running.length === 0) return { kind: "paused" };
    const success = name.lastSuccessAt;
    if (running.length === 0) {
      if (told === undefined) return { kind: "unknown" };
      const since = waitBegins(success, told.since);
      const dues = Array.from({ length: DUES_MAX }, (_, n) => since + (n + 1) * told.intervalMs);
      const { intervalMs, graceMs } = told;
      return { kind: "known", intervalMs, since, dues, graceMs };
    }
    const rules = running.map(({ cron, time_zone, since }) => ({
      cron,
      timeZone: time_zone,
      since,
    }));
    const since = waitBegins(success, Math.min(...running.map((one) => one.since)));
    const [next, after] = this.#duesAfter(rules, until - (until % (5 * MINUTE)), 2);
    const intervalMs = next === undefined || after === undefined ? null : after - next;
    return { kind: "known", intervalMs, since, dues: this.#duesAfter(rules, since, DUES_MAX) };
  }

  /** Of a task of Signalbox's own; none succeeds more often than it is done. */
  #ownInterval({ org, name, lastSuccessAt: since }: WatchedName): ToldInterval | undefined {
    const seconds = org === SYSTEM_ORG_ID ? OWN_INTERVALS[name] : undefined;
    // One that never succeeded counts from its first run.
    if (seconds === undefined || since === null) return undefined;
    const leastMs = name === "rollups" ? this.#rollupIntervalMs : 0;
    const intervalMs = Math.max(seconds * 1_000, leastMs);
    return { org, name, intervalMs, graceMs: null, since };
  }

  #duesAfter(rules: readonly HeldRule[], from: number, count: number): readonly number[] {
    const key = `${count} ${from} ${rules.map(ruleKey).join(";")}`;
    const known = this.#dues.get(key) ?? dueAfter(rules, from, count);
    this.#dues.set(key, known);
    return known;
  }
}

const ruleKey = ({ cron, timeZone, since }: HeldRule) => `${cron} ${timeZone} ${since}`;

/** How long between two runs of names of which nobody says it: out of the last week. */
async function observedPaces(
  sql: Sql | Transaction,
  names: readonly WatchedName[],
  expected: readonly Expected[],
  now: number,
): Promise<Map<number, number>> {
  const asked = names.filter((_, at) => {
    const one = expected[at]!;
    return one.kind !== "known" || one.intervalMs === null;
  });
  const runs = await readWeekOfRuns(sql, asked, now);
  // By the days on which it ran: what began yesterday, or comes in bursts, is not taken for rare.
  return new Map(
    [...runs].filter(([, n]) => n.runs > 0).map(([id, n]) => [id, (n.days * DAY) / n.runs]),
  );
}

function windowFor(expected: Expected, observedMs: number | null, leastMs: number): number {
  const pace = (expected.kind === "known" ? expected.intervalMs : null) ?? observedMs ?? 0;
  const least = Math.max(leastMs, LEAST_WINDOW_MS);
  return Math.min(WINDOW_MAX_MS, Math.max(least, RUNS_A_WINDOW * pace));
}

function factsOf(
  name: WatchedName,
  rest: Omit<JobFacts, "lastSuccessAt" | "lastRunAt" | "queueNow">,
): JobFacts {
  const { lastSuccessAt, lastRunAt, queueNow } = name;
  return { ...rest, lastSuccessAt, lastRunAt, queueNow };
}

/** With its last runs as they are known: what the rollups do not tell of yet has not happened, but to own tasks. */
function asOf(name: WatchedName, own: OwnRuns | undefined, { until, now }: Look): WatchedName {
  const isOwn = name.org === SYSTEM_ORG_ID;
  const known = isOwn ? now : until;
  return {
    ...name,
    lastRunAt: atOrBefore(later(name.lastRunAt, own?.lastAt ?? null), known),
    lastSuccessAt: atOrBefore(later(name.lastSuccessAt, own?.lastSuccessAt ?? null), known),
  };
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function atOrBefore(at: number | null, until: number): number | null {
  return at === null ? null : Math.min(at, until);
}

function keyOf({ org, name }: { org: number; name: string }): string {
  return `${org} ${name}`;
}
