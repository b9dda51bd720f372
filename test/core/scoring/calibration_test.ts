import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NO_WINDOWS } from "../../../src/core/metrics/windows.ts";
import { averagesOf } from "../../../src/core/scoring/calibration.ts";
import { waitAndPriority } from "../../../src/core/scoring/wait_and_priority.ts";
import { aJob, anInstance, aWorker, NOW } from "./samples.ts";

describe("what counts as usual", () => {
  const all = { w5m: 1, w1h: 20, w24h: 300 };

  test("is the last hour's for waits, memory and processor, the day's for disk and network", () => {
    const averages = averagesOf({
      ...{ waitSeconds: all, ramMb: all, cpuMs: all, diskBytes: all, networkMbps: all },
    });
    const expected = { waitSeconds: 20, ramMb: 20, cpuMs: 20, diskBytes: 300, networkMbps: 300 };
    assert.deepEqual(averages, expected);
  });

  test("is the day's where the last hour has no samples, but the hour's where it has a zero", () => {
    const { waitSeconds, cpuMs } = averagesOf({
      ...{ ...NO_WINDOWS, waitSeconds: { ...all, w1h: null }, cpuMs: { ...all, w1h: 0 } },
    });
    assert.deepEqual([waitSeconds, cpuMs], [300, 0]);
  });

  test("is never what five minutes say alone, and unknown where nothing else is known", () => {
    const waitSeconds = { w5m: 7, w1h: null, w24h: null };
    assert.equal(averagesOf({ ...NO_WINDOWS, waitSeconds }).waitSeconds, null);
  });

  test("is what the rules go by: the same wait is worth more where waits are short", () => {
    const waited = aJob({ rank: NOW / 1000 - 60 });
    const points = (w1h: number | null) => {
      const windows = { ...NO_WINDOWS, waitSeconds: { w5m: null, w1h, w24h: w1h } };
      const instance = anInstance({ averages: averagesOf(windows) });
      return waitAndPriority.score(waited, aWorker(), instance, NOW);
    };
    assert.deepEqual([points(30), points(null), points(120)], [120, 60, 30]);
  });
});
