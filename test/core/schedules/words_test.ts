import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cronProblem } from "../../../src/core/schedules/rule_problem.ts";
import { cronWords } from "../../../src/core/schedules/words.ts";

test("a cron rule is said in words", () => {
  const said: [string, string][] = [
    ["0 */2 * * *", "At minute 0 of every 2nd hour"],
    ["0 */2 * * * *", "Every 2 minutes"],
    ["*/15 * * * *", "Every 15 minutes"],
    ["*/7 * * * *", "At every 7th minute of every hour"],
    ["* * * * *", "Every minute"],
    ["* * * * * *", "Every second"],
    ["30 2 * * *", "At 02:30 every day"],
    ["15 30 2 * * *", "At 02:30:15 every day"],
    ["30 2,14 * * *", "At 02:30 and 14:30 every day"],
    ["0 9 * * 1-5", "At 09:00 on Monday to Friday"],
    [
      "*/15 9-17 * * MON-FRI",
      "Every 15 minutes, in the hours from 09:00 to 17:59, on Monday to Friday",
    ],
    ["0 6-22/4 * * *", "At minute 0 of every 4th hour from 6 to 22"],
    ["0 0 1 * *", "At 00:00 on day 1 of the month"],
    ["0 0 1,15 * *", "At 00:00 on days 1 and 15 of the month"],
    ["0 0 L * *", "At 00:00 on the last day of the month"],
    ["0 12 * * 5#2", "At 12:00 on the 2nd Friday of the month"],
    ["0 12 * * FRIL", "At 12:00 on the last Friday of the month"],
    ["15 10 15W * *", "At 10:15 on the weekday nearest to day 15 of the month"],
    ["0 0 13 * 5", "At 00:00 on day 13 or on Friday"],
    ["0 0 1 1 *", "At 00:00 on day 1 in January"],
    ["0 0 * 3-5 *", "At 00:00 every day in March to May"],
    ["*/5 30 * * * *", "Every 5 seconds, at minute 30 of every hour"],
    ["0 5 * * 7", "At 05:00 on Sunday"],
  ];
  for (const [cron, words] of said) {
    assert.equal(cronProblem(cron), null, cron);
    assert.equal(cronWords(cron), words, cron);
  }
});

test("every rule has words, and none of them is lost", () => {
  const field = (low: number, high: number) => {
    const number = fc.integer({ min: low, max: high });
    const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
    const step = fc.integer({ min: 1, max: high });
    return fc.oneof(
      fc.constant("*"),
      number.map(String),
      range,
      step.map((n) => `*/${n}`),
      fc.array(fc.oneof(number.map(String), range), { minLength: 1, maxLength: 3 }).map(String),
    );
  };
  const rule = fc
    .tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
    .map((fields) => fields.join(" "));
  fc.assert(
    fc.property(rule, (cron) => {
      fc.pre(cronProblem(cron) === null);
      const words = cronWords(cron);
      assert.match(words, /^(At|Every) \S/);
      assert.doesNotMatch(words, /undefined|NaN|null| {2}|,,| $/);
      for (const number of cron.match(/\d{2,}/g) ?? []) {
        const isNamed = words.includes(number) || /[A-Z][a-z]+(day|ber|ary)/.test(words);
        assert.ok(isNamed, `${cron}: ${words}`);
      }
    }),
    { numRuns: 300 },
  );
});
