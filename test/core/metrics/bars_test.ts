import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { barsOf } from "../../../src/core/metrics/bars.ts";
import { BIN_MAX, EMPTY, histogramOf } from "../../../src/core/metrics/histogram.ts";

const ends = (values: readonly number[]) => {
  return { least: Math.min(...values), most: Math.max(...values) };
};
const bars = (values: readonly number[], most = 24) =>
  barsOf(histogramOf(values, 1), ends(values), most);

describe("bars of a histogram", () => {
  test("have round edges, and stand where the values are", () => {
    assert.deepEqual(bars([-1, 0, 0.5, 3]), [
      { lo: -1, hi: 0, count: 1 },
      { lo: 0, hi: 1, count: 2 },
      { lo: 1, hi: 2, count: 0 },
      { lo: 2, hi: 3, count: 0 },
      { lo: 3, hi: 4, count: 1 },
    ]);
    const wide = bars(Array.from({ length: 100 }, (_, at) => at - 50));
    assert.equal(wide.length, 20);
    assert.deepEqual(wide[0], { lo: -50, hi: -45, count: 5 });
  });

  test("are none of nothing, and one of one value", () => {
    assert.deepEqual(barsOf(EMPTY, { least: null, most: null }, 24), []);
    assert.deepEqual(bars([7]), [{ lo: 7, hi: 8, count: 1 }]);
  });

  test("reach out to few values far away, and show the others finely", () => {
    const values = [...Array.from({ length: 99 }, (_, at) => at % 20), 6_040.7];
    const shown = bars(values);
    assert.deepEqual(shown[0], { lo: 0, hi: 1, count: 5 });
    assert.deepEqual(shown.at(-1), { lo: 19, hi: 6_041, count: 5 });
    assert.equal(shown.length, 20);
  });

  test("hold whatever is beyond the outermost bin", () => {
    const values = [BIN_MAX * 3, -BIN_MAX * 2];
    const shown = bars(values);
    assert.equal(shown[0]!.lo, -BIN_MAX * 2);
    assert.equal(shown.at(-1)!.hi, BIN_MAX * 3 + 1);
  });

  test("hold each value once, without gaps, and are never too many", () => {
    const value = fc.oneof(
      fc.integer({ min: -60, max: 60 }),
      fc.double({ min: -40_000, max: 40_000, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
        const shown = bars(values);
        assert.ok(shown.length >= 1 && shown.length <= 24, `${shown.length} bars`);
        for (const [at, { lo, hi, count }] of shown.entries()) {
          assert.ok(Number.isInteger(lo) && Number.isInteger(hi) && lo < hi);
          if (at > 0) assert.equal(lo, shown[at - 1]!.hi);
          assert.equal(count, values.filter((one) => one >= lo && one < hi).length);
        }
      }),
    );
  });
});
