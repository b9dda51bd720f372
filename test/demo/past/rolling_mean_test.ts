import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { addToMean, createRollingMean, readMean } from "../../../src/demo/past/rolling_mean.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

describe("a rolling mean", () => {
  test("is unknown before anything happened and after all of it has passed", () => {
    const rolling = createRollingMean(HOUR);
    assert.equal(readMean(rolling, 0), null);
    addToMean(rolling, 5, 10);
    assert.equal(readMean(rolling, 59 * MINUTE), 10);
    assert.equal(readMean(rolling, HOUR), null);
  });

  test("forgets slice by slice", () => {
    const rolling = createRollingMean(HOUR);
    addToMean(rolling, 0, 10);
    addToMean(rolling, 30 * MINUTE, 20);
    assert.equal(readMean(rolling, 59 * MINUTE), 15);
    assert.equal(readMean(rolling, 60 * MINUTE), 20);
  });

  test("is not confused by a clock that steps back, nor by what is no number", () => {
    const rolling = createRollingMean(HOUR);
    addToMean(rolling, 2 * HOUR, 10);
    addToMean(rolling, 2 * HOUR - MINUTE, 20);
    addToMean(rolling, 0, 1000);
    addToMean(rolling, 2 * HOUR, Number.NaN);
    assert.equal(readMean(rolling, HOUR), 15);
  });

  test("equals the mean of the values whose slice lies within the window", () => {
    const moments = fc.array(
      fc.tuple(fc.nat({ max: 3 * HOUR }), fc.integer({ min: 0, max: 1000 })),
    );
    fc.assert(
      fc.property(moments, (moments) => {
        moments.sort(([a], [b]) => a - b);
        const rolling = createRollingMean(HOUR);
        for (const [at, value] of moments) addToMean(rolling, at, value);
        const slice = (at: number) => Math.floor(at / MINUTE);
        const now = slice(moments.at(-1)?.[0] ?? 0);
        const kept = moments.filter(([at]) => slice(at) > now - 60).map(([, value]) => value);
        const expected = kept.reduce((sum, value) => sum + value, 0) / kept.length;
        const found = readMean(rolling, moments.at(-1)?.[0] ?? 0);
        if (kept.length === 0) assert.equal(found, null);
        else assert.ok(Math.abs(found! - expected) < 1e-6);
      }),
    );
  });
});
