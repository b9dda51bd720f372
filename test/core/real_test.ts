import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestReal } from "../../src/core/real.ts";

test("a number in single precision is the shortest that names it", () => {
  const cases: [number, number][] = [
    [0, 0],
    [0.1, 0.1],
    [Math.fround(0.1), 0.1],
    [1 / 3, 0.33333334],
    [16_777_217, 16_777_216],
    [3.4028234663852886e38, 3.4028235e38],
    [1e-45, 1e-45],
    [-2.5, -2.5],
  ];
  for (const [value, nearest] of cases) assert.equal(nearestReal(value), nearest);
});

test("it names the same number, however it is asked again", () => {
  for (let n = 1; n < 2_000; n++) {
    const value = n * Math.PI ** ((n % 60) - 30);
    const real = nearestReal(value);
    assert.equal(Math.fround(real), Math.fround(value));
    assert.equal(nearestReal(real), real);
  }
});
