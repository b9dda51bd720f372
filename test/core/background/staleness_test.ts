import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dueAfter, type Expectation, stalenessOf } from "../../../src/core/background/staleness.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (text: string) => Date.parse(`${text}Z`);
const rule = (cron: string) => ({ cron, timeZone: "UTC" });
const scheduled = (cron: string): Expectation => {
  return { kind: "scheduled", rules: [rule(cron)], since: at("2026-01-01T00:00:00") };
};
const after = (expected: Expectation, ms: number) =>
  stalenessOf(expected, { runAt: 0, successAt: 0 }, ms).judgement;
const UNKNOWN: Expectation = { kind: "unknown" };

describe("staleness", () => {
  test("without an expectation follows the seed's plain times", () => {
    assert.equal(after(UNKNOWN, 120 * MINUTE - 1), "good");
    assert.equal(after(UNKNOWN, 120 * MINUTE), "warning");
    assert.equal(after(UNKNOWN, 360 * MINUTE - 1), "warning");
    assert.equal(after(UNKNOWN, 360 * MINUTE), "bad");
  });

  test("of a job for every 5 minutes is seen within minutes, not after two hours", () => {
    const success = at("2026-11-23T10:00:03");
    const judged = (text: string) =>
      stalenessOf(scheduled("*/5 * * * *"), { runAt: success, successAt: success }, at(text))
        .judgement;
    assert.equal(judged("2026-11-23T10:11:59"), "good");
    assert.equal(judged("2026-11-23T10:12:00"), "warning");
    assert.equal(judged("2026-11-23T10:32:00"), "bad");
  });

  test("of a job for every 6 hours is well all the time between its runs", () => {
    const success = at("2026-11-23T00:01:00");
    const last = { runAt: success, successAt: success };
    const judged = (text: string) =>
      stalenessOf(scheduled("0 */6 * * *"), last, at(text)).judgement;
    assert.equal(judged("2026-11-23T06:00:59"), "good");
    assert.equal(judged("2026-11-23T12:01:59"), "good");
    assert.equal(judged("2026-11-23T12:02:00"), "warning");
  });

  test("of a job for weekdays waits for Monday", () => {
    const friday = at("2026-11-20T09:00:30");
    const judged = (text: string) =>
      stalenessOf(scheduled("0 9 * * 1-5"), { runAt: friday, successAt: friday }, at(text))
        .judgement;
    assert.equal(judged("2026-11-22T23:00:00"), "good");
    assert.equal(judged("2026-11-23T09:30:00"), "good");
    assert.equal(judged("2026-11-24T09:02:00"), "warning");
  });

  test("of a name with two schedules follows whichever is due first", () => {
    const rules = [rule("0 * * * *"), rule("30 * * * *")];
    const expected = { kind: "scheduled" as const, rules, since: 0 };
    const { intervalMs, nextAt } = stalenessOf(
      expected,
      { runAt: 0, successAt: 0 },
      at("2026-11-23T10:10:00"),
    );
    assert.deepEqual([intervalMs, nextAt], [30 * MINUTE, at("2026-11-23T10:30:00")]);
    assert.deepEqual(dueAfter([rules[0]!, rules[0]!], 0, 2), [HOUR, 2 * HOUR]);
  });

  test("follows an interval that somebody has told, with its grace", () => {
    const told = { kind: "told" as const, intervalSeconds: 600, graceSeconds: 30, since: 0 };
    assert.equal(after(told, 20 * MINUTE + 29_999), "good");
    assert.equal(after(told, 20 * MINUTE + 30_000), "warning");
    assert.equal(after(told, 60 * MINUTE + 30_000), "bad");
    assert.equal(after({ ...told, graceSeconds: null }, 21 * MINUTE), "good");
  });

  test("calls a name bad that ran and never succeeded, however it is expected", () => {
    for (const expected of [UNKNOWN, scheduled("0 0 1 1 *")]) {
      const never = stalenessOf(expected, { runAt: 5, successAt: null }, 10);
      assert.deepEqual([never.judgement, never.neverSucceeded, never.sinceMs], ["bad", true, null]);
    }
  });

  test("of a name that never ran is not known, until its schedule says that it should have", () => {
    const never = { runAt: null, successAt: null };
    assert.equal(stalenessOf(UNKNOWN, never, 10).judgement, "unknown");
    const hourly = { kind: "scheduled" as const, rules: [rule("0 * * * *")], since: 0 };
    assert.equal(stalenessOf(hourly, never, HOUR).judgement, "unknown");
    assert.equal(stalenessOf(hourly, never, 2 * HOUR + 2 * MINUTE).judgement, "warning");
    assert.equal(stalenessOf(hourly, never, 6 * HOUR + 2 * MINUTE).judgement, "bad");
  });

  test("is not judged while every schedule is paused", () => {
    assert.equal(after({ kind: "paused" }, 900 * HOUR), "unknown");
  });
});
