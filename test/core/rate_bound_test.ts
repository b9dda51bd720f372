import assert from "node:assert/strict";
import { test } from "node:test";
import { RateBound } from "../../src/core/rate_bound.ts";

test("a rate bound lets a burst through, and then as many as are due", () => {
  const bound = new RateBound({ perSecond: 10, burst: 3 }, 0);
  const admitted = (nowMs: number) => Array.from({ length: 5 }, () => bound.admit(nowMs));
  assert.deepEqual(admitted(0), [true, true, true, false, false]);
  assert.deepEqual(admitted(200), [true, true, false, false, false]);
  assert.deepEqual(admitted(60_000), [true, true, true, false, false]);
});

test("what a rate bound does not admit costs nothing, what is taken all the same does", () => {
  const patient = new RateBound({ perSecond: 10, burst: 1 }, 0);
  const greedy = new RateBound({ perSecond: 10, burst: 1 }, 0);
  for (let n = 0; n < 100; n++) {
    patient.admit(0);
    greedy.take(1, 0);
  }
  assert.equal(patient.admit(100), true);
  assert.equal(greedy.take(1, 100), false);
  assert.equal(greedy.take(1, 10_100), true);
});
