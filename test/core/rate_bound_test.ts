import assert from "node:assert/strict";
import { test } from "node:test";
import { RateBound } from "../../src/core/rate_bound.ts";

test("a rate bound lets a burst through, and then as many as are due", () => {
  const bound = new RateBound({ perSecond: 10, burst: 3 }, 0);
  const taken = (nowMs: number) =>
    Array.from({ length: 5 }, () => bound.room(nowMs) > 0 && bound.take(1, nowMs));
  assert.deepEqual(taken(0), [true, true, true, false, false]);
  assert.deepEqual(taken(200), [true, true, false, false, false]);
  assert.deepEqual(taken(60_000), [true, true, true, false, false]);
});

test("what is taken beyond a rate bound is owed, what is only asked for is not", () => {
  const asking = new RateBound({ perSecond: 10, burst: 1 }, 0);
  const greedy = new RateBound({ perSecond: 10, burst: 1 }, 0);
  for (let n = 0; n < 100; n++) {
    if (asking.room(0) > 0) asking.take(1, 0);
    greedy.take(1, 0);
  }
  assert.equal(asking.room(100), 1);
  assert.equal(greedy.room(100), 0);
  assert.equal(greedy.take(1, 10_100), true);
});
