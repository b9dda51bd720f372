import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { observedSpeed } from "../../src/core/observed_speed.ts";

describe("the speed that a worker has shown", () => {
  test("is unknown until something was measured", () => {
    assert.equal(observedSpeed(null, null, 0), null);
    assert.equal(observedSpeed(null, 120, 10_000), 120);
  });

  test("stays that of its best second while it idles, and fades by half in an hour", () => {
    assert.equal(observedSpeed(400, 0, 0), 400);
    assert.equal(observedSpeed(400, 3, 3_600_000), 200);
    assert.equal(observedSpeed(400, null, 7_200_000), 100);
  });

  test("rises at once with a faster second", () => {
    assert.equal(observedSpeed(400, 900, 10_000), 900);
  });

  test("does not rise by itself under a clock that steps back", () => {
    assert.equal(observedSpeed(400, null, -5_000), 400);
  });
});
