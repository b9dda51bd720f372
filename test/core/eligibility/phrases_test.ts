import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  count,
  instant,
  list,
  number,
  quote,
  span,
} from "../../../src/core/eligibility/phrases.ts";

describe("figures in sentences", () => {
  test("have their thousands set apart and at most two decimals", () => {
    assert.deepEqual([0, 7, 999, 1000, 16_384, 1_234_567.891, 0.5, 0.001, -1500].map(number), [
      "0",
      "7",
      "999",
      "1,000",
      "16,384",
      "1,234,567.89",
      "0.5",
      "0",
      "-1,500",
    ]);
  });

  test("agree with their noun", () => {
    assert.equal(count(1, "slot"), "1 slot");
    assert.equal(count(0, "slot"), "0 slots");
    assert.equal(count(2, "dependency", "dependencies"), "2 dependencies");
  });

  test("tell spans in a unit that fits, never less than what is left", () => {
    const spans = [0, 1, 1000, 119_000, 121_000, 7_200_000, 172_800_000, -5].map(span);
    assert.deepEqual(spans, [
      "0 seconds",
      "1 second",
      "1 second",
      "119 seconds",
      "3 minutes",
      "2 hours",
      "2 days",
      "0 seconds",
    ]);
  });

  test("tell instants without fractions, and no calendar breaks them", () => {
    assert.equal(instant(Date.UTC(2026, 7, 1, 12, 0, 0, 999)), "2026-08-01T12:00:00Z");
    fc.assert(fc.property(fc.double(), (ms) => assert.ok(instant(ms).length > 0)));
  });
});

describe("words in sentences", () => {
  test("are listed up to eight, then counted", () => {
    assert.equal(list([]), "none");
    assert.equal(list(new Set(["nix", "kvm"])), "nix, kvm");
    assert.equal(list("abcdefghij"), "a, b, c, d, e, f, g, h and 2 more");
  });

  test("of others are quoted by their first line, cut at 200 characters, well-formed", () => {
    assert.equal(quote("  exit code 3\r\nmore"), "exit code 3");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        const quoted = quote(text);
        assert.ok(quoted.length <= 200 && quoted.isWellFormed() && !/[\r\n]/.test(quoted));
      }),
    );
  });
});
