import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { overwritten } from "../../src/core/overwritten.ts";

interface Thing {
  text: string;
  most: number | null;
  rate: { count: number } | null;
}
const now: Thing = { text: "new", most: 5, rate: { count: 1 } };

describe("a save over what somebody else changed", () => {
  test("is found in fields that differ from what was seen", () => {
    const wanted = { text: "mine", most: 7, rate: null };
    const seen = { text: "old", most: 5, rate: { count: 2 } };
    assert.deepEqual(overwritten(wanted, { seen, now }), ["text", "rate"]);
  });

  test("is none where both want the same, or the field is not saved", () => {
    const seen = { text: "old", most: 1, rate: null };
    assert.deepEqual(overwritten({ most: 5 }, { seen, now }), []);
    assert.deepEqual(overwritten({}, { seen, now }), []);
  });

  test("is not looked for in fields that nobody says to have seen", () => {
    assert.deepEqual(overwritten({ text: "mine", most: 7 }, { seen: {}, now }), []);
  });
});
