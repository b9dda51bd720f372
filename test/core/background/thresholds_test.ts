import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  isGrowing,
  type Judgement,
  judge,
  judgeQueue,
  STALENESS,
  THRESHOLDS,
  type Threshold,
  type ThresholdName,
  thresholdWords,
} from "../../../src/core/background/thresholds.ts";

const NEAR: [ThresholdName, [number, Judgement][]][] = [
  [
    "success_rate",
    [
      [1, "good"],
      [0.9, "good"],
      [0.8999, "warning"],
      [0.5, "warning"],
      [0.4999, "bad"],
      [0, "bad"],
    ],
  ],
  [
    "failures_per_minute",
    [
      [0, "good"],
      [0.0999, "good"],
      [0.1, "warning"],
      [0.999, "warning"],
      [1, "bad"],
      [6, "bad"],
    ],
  ],
  [
    "failure_rate",
    [
      [0, "good"],
      [0.0499, "good"],
      [0.05, "warning"],
      [0.1999, "warning"],
      [0.2, "bad"],
      [1, "bad"],
    ],
  ],
  [
    "item_failure_rate",
    [
      [0.0499, "good"],
      [0.05, "warning"],
      [0.2, "bad"],
    ],
  ],
  [
    "duration_p95_seconds",
    [
      [59.9, "good"],
      [60, "warning"],
      [299.9, "warning"],
      [300, "bad"],
      [1_900, "bad"],
    ],
  ],
  [
    "queue_size",
    [
      [0, "good"],
      [99, "good"],
      [100, "warning"],
      [1_000, "bad"],
    ],
  ],
];

describe("thresholds", () => {
  test("judge at their limits as the table says", () => {
    assert.deepEqual(NEAR.map(([name]) => name).sort(), Object.keys(THRESHOLDS).sort());
    for (const [name, cases] of NEAR) {
      for (const [figure, wanted] of cases)
        assert.equal(judge(name, figure), wanted, `${name} ${figure}`);
    }
  });

  test("are monotonic: no worse figure has a better colour, and critical lies beyond warning", () => {
    for (const [name, { worse, warning, bad, alert }] of Object.entries(THRESHOLDS) as [
      string,
      Threshold,
    ][]) {
      assert.ok(worse === "more" ? warning < bad : warning > bad, name);
      if (alert.warning && alert.critical) {
        assert.ok(alert.warning.limit < alert.critical.limit, name);
      }
    }
    assert.ok(STALENESS.warningSeconds < STALENESS.badSeconds);
    assert.ok(STALENESS.warningIntervals < STALENESS.badIntervals);
  });

  test("do not judge what is not known, or too little of it", () => {
    for (const [name] of NEAR) {
      assert.equal(judge(name, null), "unknown");
      assert.equal(judge(name, 1, false), "unknown");
    }
  });

  test("warn of a queue only where it grows, and call a huge one bad whatever it does", () => {
    assert.equal(judgeQueue(null, 5), "unknown");
    assert.equal(judgeQueue(90, 0), "good");
    assert.equal(judgeQueue(150, 100), "good");
    assert.equal(judgeQueue(151, 100), "warning");
    assert.equal(judgeQueue(500, 5_000), "good");
    assert.equal(judgeQueue(500, 0), "warning");
    assert.equal(judgeQueue(500, null), "warning");
    assert.equal(judgeQueue(1_000, 5_000), "bad");
    assert.equal(isGrowing(0, 0), false);
  });

  test("are written as people read them", () => {
    assert.deepEqual(thresholdWords("failure_rate"), {
      ...{ good: "below 5 %", warning: "from 5 %", bad: "from 20 %" },
    });
    assert.deepEqual(thresholdWords("success_rate"), {
      ...{ good: "from 90 %", warning: "below 90 %", bad: "below 50 %" },
    });
    assert.equal(thresholdWords("duration_p95_seconds").bad, "from 5 min");
  });
});
