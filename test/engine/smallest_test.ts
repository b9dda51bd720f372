import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { smallest } from "../../src/engine/smallest.ts";

test("the smallest are those that a stable sort puts first, in the order of the list", () => {
  const items = fc.array(fc.record({ key: fc.integer({ min: -3, max: 3 }), name: fc.string() }));
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 12 }), (list, count) => {
      const first = list.toSorted((a, b) => a.key - b.key).slice(0, count);
      const found = smallest(list, count, (item) => item.key);
      assert.deepEqual(
        found,
        list.filter((item) => first.includes(item)),
      );
    }),
  );
});
