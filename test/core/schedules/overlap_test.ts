import assert from "node:assert/strict";
import { test } from "node:test";
import { OVERLAPS, onOverlap, WAITING_MAX } from "../../../src/core/schedules/overlap.ts";

test("where nothing lives and nothing waits, a run is submitted", () => {
  for (const overlap of OVERLAPS) assert.deepEqual(onOverlap(overlap, 0, 0), { kind: "submit" });
});

test("while the run before it lives, a run is left out, waits, or takes its place", () => {
  assert.equal(onOverlap("skip", 1, 0).kind, "skip");
  assert.equal(onOverlap("queue", 1, 0).kind, "wait");
  assert.equal(onOverlap("replace", 2, 0).kind, "replace");
});

test("a line keeps its order, and has an end", () => {
  assert.equal(onOverlap("queue", 0, 1).kind, "wait");
  const over = onOverlap("queue", 1, WAITING_MAX);
  assert.deepEqual(over, { kind: "skip", reason: "100 runs were waiting already" });
});
