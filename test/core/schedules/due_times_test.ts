import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Cron } from "croner";
import fc from "fast-check";
import { dueTimes, nextDueTimes, type Rule } from "../../../src/core/schedules/due_times.ts";
import { dailyAt, wallClock, whenever } from "../../support/schedules/wall_clock.ts";

const ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];
const FROM = Date.UTC(2026, 0, 1);
const TO = Date.UTC(2027, 0, 1);

function within(rule: Rule): number[] {
  const times = dueTimes(rule);
  const found: number[] = [];
  for (let at = times.after(FROM - 1); at !== null && at < TO; at = times.after(at)) found.push(at);
  return found;
}
const shown = (times: number[]) => times.map((at) => new Date(at).toISOString());

describe("due times over a year with both changes of the clock", () => {
  for (const timeZone of ZONES) {
    const walls = wallClock(timeZone, FROM, TO);
    test(`a time of the day comes once a day in ${timeZone}, also where it is skipped or repeated`, () => {
      for (const minutes of [90, 130, 150]) {
        const cron = `${minutes % 60} ${Math.floor(minutes / 60)} * * *`;
        assert.deepEqual(shown(within({ cron, timeZone })), shown(dailyAt(walls, minutes)), cron);
      }
    });

    test(`an interval in ${timeZone} skips what does not exist, and comes twice in a repeated hour`, () => {
      const cron = "*/20 1-3 * 3,4,10,11 SUN";
      const isDue = (wall: (typeof walls)[number]) =>
        wall.minutes % 20 === 0 &&
        [1, 2, 3].includes(Math.floor(wall.minutes / 60)) &&
        [3, 4, 10, 11].includes(wall.month) &&
        wall.weekday === 0;
      assert.deepEqual(shown(within({ cron, timeZone })), shown(whenever(walls, isDue)));
    });
  }
});

test("looking back finds the same due times as looking forward", () => {
  for (const timeZone of ZONES) {
    const rule = { cron: "10,50 1-2 * * SUN", timeZone };
    const forward = within(rule);
    const back = dueTimes(rule)
      .upTo(TO - 1, forward.length)
      .reverse();
    assert.deepEqual(shown(back), shown(forward));
    assert.deepEqual(dueTimes(rule).upTo(forward[3]!, 1), [forward[3]]);
  }
});

test("the next due times are told, as many as there are", () => {
  const rule = { cron: "0 12 * * *", timeZone: "UTC" };
  assert.deepEqual(shown(nextDueTimes(rule, FROM, 2)), [
    "2026-01-01T12:00:00.000Z",
    "2026-01-02T12:00:00.000Z",
  ]);
  assert.deepEqual(nextDueTimes({ ...rule, cron: "0 0 31 2 *" }, FROM, 2), []);
});

test("due times that are remembered are those that the rule gives, asked in any order", () => {
  const moment = fc
    .integer({ min: FROM / 500, max: FROM / 500 + 40 * 172_800 })
    .map((n) => n * 500);
  const question = fc.record({ at: moment, count: fc.integer({ min: 0, max: 3 }) });
  const cron = fc.constantFrom(
    "*/7 * * * *",
    "15 2 * * *",
    "30 */5 * * * *",
    "0 0 31 2 *",
    "0 9 1 * *",
  );
  const zone = fc.constantFrom(...ZONES);
  fc.assert(
    fc.property(
      cron,
      zone,
      fc.array(question, { minLength: 1, maxLength: 40 }),
      (text, timeZone, asked) => {
        const fixed = { mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" } as const;
        const plain = new Cron(text, { timezone: timeZone, paused: true, ...fixed });
        // Moments that are near to each other, as those of a page that is looked at again and again.
        for (const { at, count } of asked.flatMap((one) => [one, { ...one, at: one.at + 1_500 }])) {
          const times = dueTimes({ cron: text, timeZone });
          assert.equal(times.after(at), plain.nextRun(new Date(at))?.getTime() ?? null);
          const past = plain.previousRuns(count, new Date(at + 1)).map((date) => date.getTime());
          assert.deepEqual(times.upTo(at, count), past);
        }
      },
    ),
    { numRuns: 60 },
  );
});
