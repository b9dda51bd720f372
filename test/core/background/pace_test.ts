import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { duesAround, paceOf } from "../../../src/core/background/pace.ts";
import { dueAfter } from "../../../src/core/background/staleness.ts";
import { STALENESS } from "../../../src/core/background/thresholds.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (text: string) => Date.parse(`${text}Z`);
const rule = (cron: string) => ({ cron, timeZone: "UTC" });
const pace = (text: string, ...crons: string[]) => paceOf(duesAround(crons.map(rule), at(text)));

describe("the pace of rules", () => {
  test("is the interval, where due times come evenly", () => {
    assert.equal(pace("2026-11-23T10:03:00", "*/5 * * * *"), 5 * MINUTE);
    assert.equal(pace("2026-11-23T10:05:00", "*/5 * * * *"), 5 * MINUTE);
    assert.equal(pace("2026-11-23T10:05:00", "0 */6 * * *"), 6 * HOUR);
    assert.equal(pace("2026-11-23T10:05:00", "0 * * * *", "30 * * * *"), 30 * MINUTE);
  });

  test("spans a weekend while it lasts", () => {
    const weekdays = "0 9 * * 1-5";
    assert.equal(pace("2026-11-20T10:00:00", weekdays), 48 * HOUR);
    assert.equal(pace("2026-11-22T23:00:00", weekdays), 48 * HOUR);
    assert.equal(pace("2026-11-26T08:00:00", weekdays), (8 * 24 * HOUR) / 6);
  });

  test("is none where nothing is due again", () => {
    assert.equal(paceOf({ past: [3, 2, 1], next: null }), null);
    assert.equal(paceOf({ past: [3], next: 5 }), null);
  });

  test("is the same whether it is found anew or counted on from an earlier look", () => {
    for (const cron of ["*/7 * * * *", "*/5 9-17 * * 1-5", "0 3 * * 0"]) {
      let known = duesAround([rule(cron)], at("2026-11-20T08:00:00"));
      for (let now = at("2026-11-20T08:00:00"); now < at("2026-11-20T21:00:00"); now += HOUR / 3) {
        known = duesAround([rule(cron)], now, known);
        assert.deepEqual(known, duesAround([rule(cron)], now), `${cron} ${now}`);
      }
    }
  });

  test("lets nobody who waits by it be sooner than the due times themselves", () => {
    const week = at("2026-11-16T00:00:00");
    for (const cron of ["*/20 9-17 * * 1-5", "0 9 * * 1-5", "0 0,1,2,12 * * *", "0 */6 * * *"]) {
      const rules = [rule(cron)];
      for (let success = week; success < week + 4 * 24 * HOUR; success += 11 * HOUR + MINUTE) {
        const dues = dueAfter(rules, success, STALENESS.badIntervals);
        let known = duesAround(rules, success);
        for (let now = success; now < success + 4 * 24 * HOUR; now += 53 * MINUTE) {
          known = duesAround(rules, now, known);
          const interval = paceOf(known)!;
          for (const n of [STALENESS.warningIntervals, STALENESS.badIntervals]) {
            const isOver = now - success > n * interval;
            const text = `${n} of ${cron}: ${new Date(success)}, ${new Date(now)}`;
            if (isOver) assert.ok(now >= dues[n - 1]!, text);
          }
        }
      }
    }
  });
});
