import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { figuresOf, type RunTotals } from "../../../src/core/background/figures.ts";
import { EMPTY, histogramOf } from "../../../src/core/metrics/histogram.ts";

const HOUR = 3_600_000;
const NOW = { queue: 0, queueBefore: 0 };

function totals(succeeded: number, failed: number, ms: number[] = []): RunTotals {
  const ends =
    ms.length === 0
      ? { least: null, most: null }
      : { least: Math.min(...ms), most: Math.max(...ms) };
  return {
    ...{ succeeded, failed, items: { success: 0, failed: 0, skipped: 0 } },
    durations: { histogram: ms.length === 0 ? EMPTY : histogramOf(ms), ...ends },
  };
}

describe("figures of a name", () => {
  test("are null, not zero and not good, where nothing ran", () => {
    const figures = figuresOf(totals(0, 0), HOUR, { queue: null, queueBefore: null });
    const { successRate, failureRate, p50Ms, p95Ms, itemFailureRate, queue } = figures;
    assert.deepEqual(
      [successRate, failureRate, p50Ms, p95Ms, itemFailureRate, queue],
      Array(6).fill(null),
    );
    for (const [what, judgement] of Object.entries(figures.judged)) {
      assert.equal(judgement, "unknown", what);
    }
  });

  test("of a fleet that is wholly well are 100 %, however seldom it runs", () => {
    // The seed's own jobs: 17 runs an hour, which its gauge drew as 48 % and red.
    const figures = figuresOf(totals(17, 0, [400]), HOUR, NOW);
    assert.equal(figures.successRate, 1);
    assert.equal(figures.judged.successRate, "good");
    assert.equal(figures.successesPerMinute, 17 / 60);
  });

  test("of a job that always fails are 100 % failures, not a third of it", () => {
    const figures = figuresOf(totals(0, 12), HOUR, NOW);
    assert.deepEqual([figures.failureRate, figures.judged.failureRate], [1, "bad"]);
    assert.equal(figures.judged.successRate, "bad");
  });

  test("of one run are told and not judged", () => {
    const figures = figuresOf(totals(0, 1, [90_000]), HOUR, NOW);
    assert.deepEqual([figures.failureRate, figures.judged.failureRate], [1, "unknown"]);
    assert.deepEqual([figures.p50Ms, figures.p95Ms], [90_000, 90_000]);
    assert.equal(figures.judged.p95, "warning");
  });

  test("tell a p95 beyond ten minutes, where the seed's histogram ended", () => {
    const ms = Array.from({ length: 100 }, (_, at) => (at + 1) * 20_000);
    const { p95Ms, judged } = figuresOf(totals(100, 0, ms), HOUR, NOW);
    assert.ok(Math.abs(p95Ms! - 1_900_000) <= 19_000, String(p95Ms));
    assert.equal(judged.p95, "bad");
  });

  test("leave skipped items out of their rate", () => {
    const items = { success: 8, failed: 2, skipped: 1_000 };
    const figures = figuresOf({ ...totals(1, 0), items }, HOUR, NOW);
    assert.deepEqual([figures.itemFailureRate, figures.judged.itemFailureRate], [0.2, "bad"]);
    const few = figuresOf(
      { ...totals(1, 0), items: { success: 0, failed: 1, skipped: 0 } },
      HOUR,
      NOW,
    );
    assert.deepEqual([few.itemFailureRate, few.judged.itemFailureRate], [1, "unknown"]);
  });

  test("are by the minute of what is known of the window", () => {
    assert.equal(figuresOf(totals(0, 6), HOUR, NOW).failuresPerMinute, 0.1);
    assert.equal(figuresOf(totals(0, 6), HOUR, NOW).judged.failuresPerMinute, "warning");
    assert.equal(figuresOf(totals(0, 6), 0, NOW).failuresPerMinute, null);
  });
});
