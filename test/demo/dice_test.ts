/** The dice of the demo, its rhythm, and how attempts go. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { timeOfId } from "../../src/core/ids.ts";
import { ORGANIZATIONS } from "../../src/demo/cast/organizations.ts";
import { Dice } from "../../src/demo/dice.ts";
import { pastId } from "../../src/demo/past/ids.ts";
import { linesOf } from "../../src/demo/play/lines.ts";
import { perform } from "../../src/demo/play/perform.ts";
import { pauseMs, tempoAt } from "../../src/demo/rhythm.ts";
import { items as itemsFrame, usage as usageFrame } from "../../src/messages/frames.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const TASKS = ORGANIZATIONS.flatMap(({ tasks }) => tasks);

describe("dice", () => {
  test("throw the same for the same seed and the same words", () => {
    const throwsOf = (dice: Dice) => Array.from({ length: 9 }, () => dice.next());
    assert.deepEqual(throwsOf(Dice.of(3, "a", 1)), throwsOf(Dice.of(3, "a", 1)));
    assert.notDeepEqual(throwsOf(Dice.of(3, "a", 1)), throwsOf(Dice.of(4, "a", 1)));
    assert.notDeepEqual(throwsOf(Dice.of(3, "a", 1)), throwsOf(Dice.of(3, "b", 1)));
  });

  test("choose each key about as often as its weight says", () => {
    const dice = new Dice(1);
    const counts = { a: 0, b: 0, c: 0 };
    for (let at = 0; at < 10_000; at++) counts[dice.weighted({ a: 6, b: 3, c: 1 })] += 1;
    assert.equal(counts.a + counts.b + counts.c, 10_000);
    assert.ok(Math.abs(counts.a - 6_000) < 300 && Math.abs(counts.c - 1_000) < 200);
  });

  test("spread about 1", () => {
    const dice = new Dice(2);
    const thrown = Array.from({ length: 4_001 }, () => dice.spread(0.3)).sort((a, b) => a - b);
    assert.ok(Math.abs(thrown[2_000]! - 1) < 0.05 && thrown[0]! > 0);
  });
});

describe("the rhythm of a day", () => {
  test("is never still, and about 1 on the mean", () => {
    const hours = Array.from({ length: 240 }, (_, at) => tempoAt(at * 1_000, 0.3, 240_000));
    const mean = hours.reduce((sum, tempo) => sum + tempo, 0) / hours.length;
    assert.ok(Math.min(...hours) > 0.2 && Math.max(...hours) < 2);
    assert.ok(mean > 0.7 && mean < 1.2, String(mean));
  });

  test("leaves pauses that end", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), (chance) => {
        const pause = pauseMs(10, 0.25, chance);
        assert.ok(pause >= 0 && pause <= 120_000);
      }),
    );
  });
});

describe("an attempt", () => {
  test("uses what can be told, and counts no item twice", () => {
    fc.assert(
      fc.property(
        seeds,
        fc.constantFrom(...TASKS),
        fc.integer({ min: 1, max: 4 }),
        (seed, task, n) => {
          const performance = perform(task, new Dice(seed), n, 0.5);
          usageFrame.parse(performance.usage);
          assert.ok(performance.runMs > 0);
          if (performance.items) itemsFrame.parse(performance.items);
          const lines = linesOf(task, performance, new Dice(seed));
          assert.ok(lines.length >= 3 && lines.length < 20);
          assert.ok(lines.every(({ at }, place) => at >= (lines[place - 1]?.at ?? 0)));
          assert.ok(lines.at(-1)!.at <= performance.runMs);
        },
      ),
    );
  });

  test("goes the same way for the same dice", () => {
    for (const task of TASKS) {
      assert.deepEqual(perform(task, new Dice(8), 1, 1), perform(task, new Dice(8), 1, 1));
    }
  });
});

test("an id of the past says when it was made", () => {
  const at = Date.UTC(2026, 3, 5, 6, 7, 8, 9);
  assert.equal(timeOfId(pastId(at + 0.5, new Dice(1))), at);
  assert.ok(pastId(at, new Dice(1)) < pastId(at + 1, new Dice(1)));
});
