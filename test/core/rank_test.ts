import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readyRank, SECONDS_PER_POINT } from "../../src/core/rank.ts";

const NOW = Date.UTC(2026, 7, 1);
const readyAt = fc.integer({ min: NOW - 86_400_000, max: NOW });
const priority = fc.integer({ min: -100, max: 100 });

describe("the rank of a ready job", () => {
  test("is when it became ready in epoch seconds, less a minute for each point of priority", () => {
    assert.equal(readyRank(1_000_000, 0), 1000);
    assert.equal(readyRank(1_000_000, 5), 1000 - 5 * SECONDS_PER_POINT);
    assert.equal(readyRank(1_000_500, -1), 1000.5 + SECONDS_PER_POINT);
  });

  test("puts the earlier of two equal priorities first, to the millisecond", () => {
    fc.assert(
      fc.property(readyAt, priority, (at, points) => {
        assert.ok(readyRank(at, points) < readyRank(at + 1, points));
      }),
    );
  });

  test("puts the higher of two priorities first when they became ready together", () => {
    fc.assert(
      fc.property(readyAt, fc.integer({ min: -100, max: 99 }), (at, points) => {
        assert.ok(readyRank(at, points + 1) < readyRank(at, points));
      }),
    );
  });

  test("lets no job of the highest priority pass one of the lowest that is old enough", () => {
    const enough = 200 * SECONDS_PER_POINT * 1000;
    assert.ok(readyRank(NOW - enough - 1, -100) < readyRank(NOW, 100));
    assert.ok(readyRank(NOW - enough + 1, -100) > readyRank(NOW, 100));
  });
});
