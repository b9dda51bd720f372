import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobFacts, MinuteOfRuns } from "../../../src/core/alerts/facts.ts";
import { ALERT_RULES, type RuleName, ruleOf } from "../../../src/core/alerts/rules.ts";
import type { Limits } from "../../../src/core/alerts/thresholds.ts";
import { EMPTY, histogramOf } from "../../../src/core/metrics/histogram.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse("2030-01-02T12:00:00Z");

const NOTHING: JobFacts = {
  ...{ until: NOW, minutes: [], expected: { kind: "unknown" }, observedMs: null },
  ...{ lastSuccessAt: null, lastRunAt: null, firstRunAt: null, queueNow: null, queueBefore: null },
  lastRunsUntil: NOW,
};
const minute = (ago: number, more: Partial<MinuteOfRuns> = {}): MinuteOfRuns => ({
  ...{ at: NOW - ago, succeeded: 0, failed: 0, itemsSuccess: 0, itemsFailed: 0, durations: EMPTY },
  ...more,
});
function truth(name: RuleName, facts: Partial<JobFacts>, limits: Limits = {}) {
  const rule = ruleOf(name)!;
  return rule.condition({ ...NOTHING, ...facts }, { ...rule.limits, ...limits }).truth;
}
const SLOW = histogramOf(Array.from({ length: 10 }, () => HOUR));
const every = (hours: number, since: number): JobFacts["expected"] => ({
  ...{ kind: "known", intervalMs: hours * HOUR, since },
  dues: Array.from({ length: 24 }, (_, n) => since + (n + 1) * hours * HOUR),
});

describe("where nothing is known", () => {
  test("no rule says anything", () => {
    for (const { name } of ALERT_RULES) assert.equal(truth(name, {}), "unknown", name);
  });
});

describe("a failure rate", () => {
  const of = (succeeded: number, failed: number) => ({
    minutes: [minute(MINUTE, { succeeded, failed })],
  });
  test("is exact, fires above its limit and not at it, and needs a sample", () => {
    const rows: [number, number, string, string][] = [
      [95, 5, "false", "false"],
      [94, 6, "true", "false"],
      [50, 50, "true", "false"],
      [49, 51, "true", "true"],
      [0, 3, "true", "true"],
      [0, 2, "unknown", "unknown"],
      [3, 0, "false", "false"],
    ];
    for (const [succeeded, failed, warning, critical] of rows) {
      const facts = of(succeeded, failed);
      assert.equal(truth("BackgroundJobFailing", facts), warning, `${succeeded} ${failed}`);
      assert.equal(
        truth("BackgroundJobCriticalFailureRate", facts),
        critical,
        `${succeeded} ${failed}`,
      );
    }
  });

  test("of an hourly and of a six-hourly job is told by its last runs", () => {
    for (const hours of [1, 6]) {
      const minutes = [1, 2, 3, 4, 5, 6].map((n) =>
        minute(n * hours * HOUR, n < 5 ? { failed: 1 } : { succeeded: 1 }),
      );
      const facts = { minutes, expected: every(hours, NOW) };
      assert.equal(truth("BackgroundJobCriticalFailureRate", facts), "true");
      const healthy = minutes.map((one) => ({ ...one, failed: 0, succeeded: 1 }));
      assert.equal(truth("BackgroundJobFailing", { ...facts, minutes: healthy }), "false");
    }
  });

  test("of a job that rests is none: it stopped, or its schedules are paused", () => {
    const failing = [minute(MINUTE, { failed: 10, itemsFailed: 20, durations: SLOW })];
    const rules: RuleName[] = ALERT_RULES.filter((rule) => rule.reads === "runs").map(
      (rule) => rule.name,
    );
    assert.equal(rules.length, 5);
    for (const name of rules) {
      assert.equal(truth(name, { minutes: failing }), "true", name);
      assert.equal(truth(name, { minutes: failing, expected: { kind: "paused" } }), "false", name);
      assert.equal(truth(name, { lastRunAt: NOW - HOUR }), "false", name);
    }
  });

  test("forgets what lies beyond its window", () => {
    const minutes = [minute(HOUR, { failed: 100 }), minute(MINUTE, { succeeded: 10 })];
    assert.equal(truth("BackgroundJobFailing", { minutes, observedMs: MINUTE }), "false");
  });
});

describe("a run time", () => {
  test("fires beyond what any bucket of the seed could tell", () => {
    const slow = (ms: number) => ({
      minutes: [minute(MINUTE, { succeeded: 4, durations: histogramOf([ms, ms, ms, ms]) })],
    });
    assert.equal(truth("BackgroundJobHighDuration", slow(250_000)), "false");
    assert.equal(truth("BackgroundJobHighDuration", slow(400_000)), "true");
    assert.equal(truth("BackgroundJobCriticalDuration", slow(400_000)), "false");
    assert.equal(truth("BackgroundJobCriticalDuration", slow(3_600_000)), "true");
  });
});

describe("a queue", () => {
  const growing = (queueNow: number | null, queueBefore: number | null) =>
    truth("BackgroundJobQueueGrowing", { queueNow, queueBefore });
  test("grows against what it was ten minutes ago; without that nothing is said", () => {
    assert.equal(growing(150, 100), "false");
    assert.equal(growing(151, 100), "true");
    assert.equal(growing(151, null), "unknown");
    assert.equal(growing(100, null), "false");
    assert.equal(growing(101, 0), "true");
    assert.equal(growing(null, 100), "unknown");
  });

  test("is critical by its size alone", () => {
    assert.equal(truth("BackgroundJobCriticalQueueSize", { queueNow: 1_000 }), "false");
    assert.equal(truth("BackgroundJobCriticalQueueSize", { queueNow: 1_001 }), "true");
  });
});

describe("items", () => {
  const of = (itemsSuccess: number, itemsFailed: number) =>
    truth("BackgroundJobHighItemFailureRate", {
      minutes: [minute(MINUTE, { itemsSuccess, itemsFailed })],
    });
  test("that fail are counted against those that were done", () => {
    assert.equal(of(80, 20), "false");
    assert.equal(of(79, 21), "true");
    assert.equal(of(0, 9), "unknown");
  });
});

describe("a last success", () => {
  const stale = (facts: Partial<JobFacts>) => [
    truth("BackgroundJobNotRunning", facts),
    truth("BackgroundJobCriticallyStale", facts),
  ];
  const last = (ms: number, more: Partial<JobFacts> = {}) => ({
    lastSuccessAt: NOW - ms,
    lastRunAt: NOW - ms,
    ...more,
  });

  test("is overdue by the job's own interval", () => {
    const six = (ms: number) => last(ms, { expected: every(6, NOW - ms) });
    assert.deepEqual(stale(six(11 * HOUR)), ["false", "false"]);
    assert.deepEqual(stale(six(12 * HOUR + 2 * MINUTE)), ["false", "false"]);
    assert.deepEqual(stale(six(12 * HOUR + 3 * MINUTE)), ["true", "false"]);
    assert.deepEqual(stale(six(37 * HOUR)), ["true", "true"]);
    const often = (ms: number) => last(ms, { expected: every(5 / 60, NOW - ms) });
    assert.deepEqual(stale(often(10 * MINUTE)), ["false", "false"]);
    assert.deepEqual(stale(often(15 * MINUTE)), ["true", "false"]);
  });

  test("that never was is one too", () => {
    const never = { lastRunAt: NOW - MINUTE, firstRunAt: NOW - 3 * HOUR };
    assert.deepEqual(stale(never), ["true", "false"]);
    const due = { expected: every(1, NOW - 3 * HOUR) };
    assert.deepEqual(stale(due), ["true", "false"]);
  });

  test("without a known interval counts where the job ran since, for nothing says that it should", () => {
    assert.deepEqual(stale(last(30 * HOUR)), ["false", "false"]);
    assert.deepEqual(stale(last(3 * HOUR, { lastRunAt: NOW })), ["true", "false"]);
    assert.deepEqual(stale(last(25 * HOUR, { lastRunAt: NOW })), ["true", "true"]);
  });

  test("of a paused schedule is never overdue", () => {
    assert.deepEqual(stale(last(100 * HOUR, { expected: { kind: "paused" } })), ["false", "false"]);
  });
});

describe("every rule", () => {
  test("says its figures, and when it fires, in a sentence", () => {
    for (const rule of ALERT_RULES) {
      assert.match(rule.condition(NOTHING, rule.limits).sentence, /^[A-Z0-9].*\.$/, rule.name);
      assert.ok(!/undefined|NaN/.test(rule.words(rule.limits)), rule.name);
    }
  });
});
