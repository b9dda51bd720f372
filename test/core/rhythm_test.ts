import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { nextInRhythm } from "../../src/core/rhythm.ts";

describe("a rhythm", () => {
  test("goes on step by step, also where a step was late or early", () => {
    const rhythm = { everyMs: 100, from: 1_030 };
    assert.equal(nextInRhythm(rhythm, 1_030), 1_130);
    assert.equal(nextInRhythm(rhythm, 1_060), 1_130);
    assert.equal(nextInRhythm(rhythm, 1_079), 1_130);
    assert.equal(nextInRhythm(rhythm, 1_081), 1_230);
    assert.equal(nextInRhythm(rhythm, 1_020), 1_130);
  });

  test("keeps half a step of distance, is in step, and leaves none out", () => {
    const ms = fc.integer({ min: -100_000, max: 100_000 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), ms, ms, (half, from, last) => {
        const everyMs = 2 * half;
        const next = nextInRhythm({ everyMs, from }, last);
        assert.equal(Math.abs(next - from) % everyMs, 0);
        assert.ok(next - last >= half && next - last < half + everyMs);
      }),
    );
  });
});
