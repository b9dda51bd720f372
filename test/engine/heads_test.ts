import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Heads } from "../../src/engine/heads.ts";
import { Line } from "../../src/engine/window.ts";
import { aWaiting } from "../support/waiting.ts";

const lineOf = (shape: number) => ({ line: new Line(shape), isListed: false, rank: 0, order: 0 });

test("the first lines are those whose heads have waited longest, however heads come and go", () => {
  const change = fc.record({
    line: fc.nat({ max: 19 }),
    rank: fc.option(fc.integer({ min: 0, max: 9 }), { nil: null }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.nat({ max: 25 }), (changes, count) => {
      const items = Array.from({ length: 20 }, (_, at) => lineOf(at));
      const heads = new Heads<(typeof items)[number]>();
      for (const { line: at, rank } of changes) {
        const item = items[at]!;
        item.line.clear();
        if (rank !== null) item.line.append([aWaiting({ shape: at, rank })], () => true);
        heads.update(item);
      }
      const sorted = items
        .filter((item) => item.line.size > 0)
        .map((item) => ({ item, head: item.line.at(0)! }))
        .sort((a, b) => a.head.rank - b.head.rank || (a.head.id < b.head.id ? -1 : 1))
        .map(({ item }) => item);
      assert.equal(heads.size, sorted.length);
      const shapes = (list: typeof items) => list.map((item) => item.line.shape);
      assert.deepEqual(shapes(heads.first(count)), shapes(sorted.slice(0, count)));
    }),
  );
});
