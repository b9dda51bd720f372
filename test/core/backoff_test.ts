import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { backoffMs, DEFAULT_BACKOFF } from "../../src/core/backoff.ts";

describe("the backoff after a failure", () => {
  test("doubles from ten seconds up to an hour, by default", () => {
    const waits = [1, 2, 3, 9, 10, 60].map((failures) => backoffMs(DEFAULT_BACKOFF, failures, 1));
    assert.deepEqual(waits, [10_000, 20_000, 40_000, 2_560_000, 3_600_000, 3_600_000]);
  });

  test("is spread over its upper half by chance", () => {
    assert.equal(backoffMs(DEFAULT_BACKOFF, 1, 0), 5_000);
    assert.equal(backoffMs(DEFAULT_BACKOFF, 1, 0.5), 7_500);
  });

  test("stays between half of its growth and its maximum, whatever is asked", () => {
    const asked = fc.record({
      base_seconds: fc.double({ min: 0, max: 86_400, noNaN: true }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      max_seconds: fc.double({ min: 0, max: 604_800, noNaN: true }),
    });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        asked,
        fc.integer({ min: 0, max: 100_000 }),
        chance,
        (backoff, failures, random) => {
          const ms = backoffMs(backoff, failures, random);
          const least = Math.min(backoff.base_seconds, backoff.max_seconds) * 500;
          assert.ok(ms >= least && ms <= backoff.max_seconds * 1000, `${ms}`);
        },
      ),
    );
  });

  test("is nothing for a base of nothing, even where the factor grew beyond all numbers", () => {
    const backoff = { base_seconds: 0, factor: 100, max_seconds: 60 };
    assert.equal(backoffMs(backoff, 1000, 0.5), 0);
  });
});
