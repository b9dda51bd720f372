/** Days of a fleet of periodic jobs, looked at every half minute: what is well fires nothing, what is not does. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobFacts, MinuteOfRuns } from "../../../src/core/alerts/facts.ts";
import { ALERT_RULES } from "../../../src/core/alerts/rules.ts";
import { type AlertState, stepAlert } from "../../../src/core/alerts/step.ts";
import { dueAfter } from "../../../src/core/background/staleness.ts";
import { histogramOf } from "../../../src/core/metrics/histogram.ts";
import { Dice } from "../../support/dice.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BEGIN = Date.parse("2030-03-04T00:00:00Z");
const DAYS = 3;

interface Played {
  cron: string;
  hours: number;
  /** Null: it did not run. */
  run(n: number): { outcome: "succeeded" | "failed"; ms: number } | null;
}

/** "Rule event" in order, for one job. */
function play({ cron, hours, run }: Played): string[] {
  const rules = [{ cron, timeZone: "UTC" }];
  const minutes: (MinuteOfRuns & { endsAt: number; isGood: boolean })[] = [];
  let due = BEGIN - 12 * hours * HOUR;
  for (let n = 0; due < BEGIN + DAYS * DAY; n++, due += hours * HOUR) {
    const one = run(n);
    if (one === null) continue;
    const endsAt = due + one.ms;
    const isGood = one.outcome === "succeeded";
    minutes.push({
      ...{ endsAt, isGood, at: Math.floor(endsAt / MINUTE) * MINUTE },
      ...{ succeeded: isGood ? 1 : 0, failed: isGood ? 0 : 1, itemsSuccess: 20, itemsFailed: 1 },
      durations: histogramOf([one.ms]),
    });
  }
  const states = new Map<string, AlertState | null>();
  const events: string[] = [];
  const known = new Map<number, number[]>();
  for (let now = BEGIN; now < BEGIN + DAYS * DAY; now += 30_000) {
    const past = minutes.filter(({ endsAt }) => endsAt < now);
    const last = past.findLast(({ isGood }) => isGood)?.endsAt ?? null;
    const since = last ?? BEGIN - 12 * hours * HOUR;
    if (!known.has(since)) known.set(since, dueAfter(rules, since, 24));
    const facts: JobFacts = {
      ...{ until: now, minutes: past.slice(-40), observedMs: null, firstRunAt: null },
      expected: { kind: "known", intervalMs: hours * HOUR, since, dues: known.get(since)! },
      ...{ lastSuccessAt: last, lastRunAt: past.at(-1)?.endsAt ?? null },
      ...{ queueNow: 0, queueBefore: 0, lastRunsUntil: now },
    };
    for (const rule of ALERT_RULES) {
      const { truth } = rule.condition(facts, rule.limits);
      const before = states.get(rule.name) ?? null;
      const { after, event } = stepAlert(before, { truth, now, forMs: rule.forMs });
      states.set(rule.name, after);
      if (event !== null) events.push(`${rule.name} ${event}`);
    }
  }
  return events;
}

const KINDS = [
  { cron: "0 * * * *", hours: 1 },
  { cron: "0 */6 * * *", hours: 6 },
] as const;

for (const kind of KINDS) {
  describe(`a job that runs every ${kind.hours} hours`, () => {
    test("and is well fires nothing over days, however long its runs take", () => {
      const chance = new Dice(7);
      const events = play({
        ...kind,
        run: () => ({ outcome: "succeeded", ms: chance.between(1_000, 4 * MINUTE) }),
      });
      assert.deepEqual(events, []);
    });

    test("and misses one run fires nothing", () => {
      const run = (n: number) => (n === 14 ? null : { outcome: "succeeded" as const, ms: 5_000 });
      assert.deepEqual(play({ ...kind, run }), []);
    });

    test("and fails for a while fires, and resolves when it is well again", () => {
      const first = 14;
      const run = (n: number) => ({
        outcome: n >= first && n < first + 4 ? ("failed" as const) : ("succeeded" as const),
        ms: 5_000,
      });
      const events = play({ ...kind, run });
      assert.ok(events.includes("BackgroundJobFailing firing"), events.join());
      assert.ok(events.includes("BackgroundJobNotRunning firing"), events.join());
      assert.ok(events.includes("BackgroundJobNotRunning resolved"), events.join());
      if (kind.hours === 1) {
        assert.ok(events.includes("BackgroundJobCriticalFailureRate firing"), events.join());
        assert.equal(events.at(-1), "BackgroundJobFailing resolved");
      }
    });

    test("and stops is overdue first, and stale later", () => {
      const run = (n: number) => (n > 12 ? null : { outcome: "succeeded" as const, ms: 5_000 });
      assert.deepEqual(play({ ...kind, run }), [
        "BackgroundJobNotRunning firing",
        "BackgroundJobCriticallyStale firing",
      ]);
    });

    test("and takes ten minutes more each time fires by its run time", () => {
      const run = (n: number) => ({
        outcome: "succeeded" as const,
        ms: n < 14 ? 5_000 : 20 * MINUTE,
      });
      const events = play({ ...kind, run });
      assert.ok(events.includes("BackgroundJobHighDuration firing"), events.join());
      assert.ok(events.includes("BackgroundJobCriticalDuration firing"), events.join());
    });
  });
}
