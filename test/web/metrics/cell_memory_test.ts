/** What is kept of settled buckets: right for one revision, and bounded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CellMemory } from "../../../src/web/metrics/cell_memory.ts";
import type { GroupedCell } from "../../../src/web/metrics/read_cells.ts";
import { missingParts } from "../../../src/web/metrics/recall_cells.ts";

function cell(bucket: number, bins = 0): GroupedCell {
  const histogram = { bins: Array(bins).fill(1), hits: Array(bins).fill(1) };
  const figures = { count: 1, sum: 1, least: 1, most: 1 };
  return { bucket, ...figures, histogram, metric: 1, org: 0, queue: 0, name: 0, worker: 0 };
}

function kept(memory: CellMemory, key: string, revision: number, buckets: readonly number[]) {
  memory.of(key, revision);
  const found = new Map(buckets.map((bucket) => [bucket, [cell(bucket)]]));
  memory.keep({ key, revision, wanted: buckets }, found);
}

test("what was kept is known until the revision changes, and nothing of an older one is taken in", () => {
  const memory = new CellMemory();
  kept(memory, "a", 1, [10, 20]);
  assert.deepEqual([...memory.of("a", 1).keys()], [10, 20]);
  assert.equal(memory.of("b", 1).size, 0);
  assert.equal(memory.of("a", 2).size, 0);
  // Somebody who began to read before the change ends after it.
  memory.keep({ key: "a", revision: 1, wanted: [10] }, new Map([[10, [cell(10)]]]));
  assert.equal(memory.of("a", 2).size, 0);
  assert.equal(memory.of("a", 1).size, 0);
});

test("buckets that slid out of a question go, and the question used longest ago", () => {
  const memory = new CellMemory(300);
  kept(memory, "slides", 1, [1, 2]);
  kept(memory, "slides", 1, [3, 4]);
  kept(memory, "slides", 1, [5, 6]);
  assert.deepEqual([...memory.of("slides", 1).keys()], [5, 6]);
  kept(memory, "other", 1, [1, 2, 3]);
  memory.of("slides", 1);
  kept(memory, "third", 1, [1, 2, 3, 4, 5, 6]);
  assert.equal(memory.of("other", 1).size, 0);
  assert.equal(memory.of("slides", 1).size, 2);
  assert.ok(memory.numbers > 0 && memory.numbers <= 300);
  const large = new Map([[1, [cell(1, 400)]]]);
  memory.keep({ key: "large", revision: 1, wanted: [1] }, large);
  assert.equal(memory.numbers, 0, "more than all there is room for is not kept");
});

test("what is missing is read in one or two parts, never in more", () => {
  const known = (...buckets: number[]) => new Map(buckets.map((bucket) => [bucket, []]));
  assert.deepEqual(missingParts([0, 10, 20], known(), 10), [{ from: 0, to: 30 }]);
  assert.deepEqual(missingParts([0, 10, 20], known(0, 10), 10), [{ from: 20, to: 30 }]);
  assert.deepEqual(missingParts([0, 10, 20], known(10), 10), [
    { from: 0, to: 10 },
    { from: 20, to: 30 },
  ]);
  assert.deepEqual(missingParts([0, 10, 20, 30, 40], known(10, 30), 10), [{ from: 0, to: 50 }]);
  assert.deepEqual(missingParts([0], known(0), 10), []);
});
