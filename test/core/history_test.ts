import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  addSample,
  coarse,
  emptySamples,
  mean,
  percentile,
  SAMPLES_MAX,
  summarize,
} from "../../src/core/history.ts";

function historyOf(rams: number[]) {
  const history = emptySamples();
  for (const peak_ram_mb of rams) addSample(history, { peak_ram_mb });
  return history;
}

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

describe("the history of a name", () => {
  test("knows nothing at first, and says so rather than 0", () => {
    assert.deepEqual(summarize(emptySamples()), {
      samples: 0,
      ramP95Mb: null,
      ramMaxMb: null,
      cpuMs: null,
      diskBytes: null,
      networkMbps: null,
      runMs: null,
      oomRate: null,
    });
  });

  test("predicts memory by the maximum below 20 samples, then by the 95th percentile", () => {
    assert.equal(summarize(historyOf(upTo(19))).ramP95Mb, 19);
    assert.equal(summarize(historyOf(upTo(20))).ramP95Mb, 19);
    assert.equal(summarize(historyOf(upTo(100))).ramP95Mb, 95);
    assert.equal(summarize(historyOf(upTo(100))).ramMaxMb, 100);
  });

  test("keeps the newest 200 samples of a figure, and counts all", () => {
    const history = historyOf(upTo(500));
    assert.equal(history.samples, 500);
    assert.equal(history.peak_ram_mb.length, SAMPLES_MAX);
    assert.deepEqual([history.peak_ram_mb[0], history.peak_ram_mb[199]], [301, 500]);
  });

  test("leaves out what was not measured, and what cannot be true", () => {
    const history = emptySamples();
    addSample(history, { run_ms: 10 });
    addSample(history, { run_ms: null, cpu_ms: undefined, peak_ram_mb: Number.NaN });
    addSample(history, { run_ms: -1, disk_bytes: Number.POSITIVE_INFINITY });
    assert.equal(history.samples, 3);
    assert.deepEqual(history.run_ms, [10]);
    assert.deepEqual([history.cpu_ms, history.peak_ram_mb, history.disk_bytes], [[], [], []]);
  });

  test("means what attempts used, disk only of those that used any", () => {
    const history = emptySamples();
    addSample(history, { run_ms: 10, cpu_ms: 4, disk_bytes: 0, network_mbps: 2, oom: false });
    addSample(history, { run_ms: 30, cpu_ms: 8, disk_bytes: 6, network_mbps: 4, oom: true });
    const figures = summarize(history);
    assert.deepEqual(
      [figures.runMs, figures.cpuMs, figures.diskBytes, figures.networkMbps, figures.oomRate],
      [20, 6, 6, 3, 0.5],
    );
  });
});

describe("a history as contexts freeze it", () => {
  test("is the same for names that used about the same, with two digits of what rules read", () => {
    const history = { ...summarize(emptySamples()), samples: 47, ramP95Mb: 1_234, runMs: 0.3 };
    const frozen = coarse(history);
    assert.deepEqual(frozen, { ...history, samples: 50, ramP95Mb: 1_200, runMs: 0 });
    assert.deepEqual(coarse({ ...history, samples: 52, ramP95Mb: 1_150, runMs: 0.1 }), frozen);
  });

  test("has these digits and no more, of any size, as near as they come", () => {
    const size = fc.tuple(
      fc.double({ min: 1, max: 9.999, noNaN: true }),
      fc.integer({ min: -6, max: 14 }),
    );
    fc.assert(
      fc.property(size, ([first, power]) => {
        const value = first * 10 ** power;
        const { ramP95Mb } = coarse({ ...summarize(emptySamples()), ramP95Mb: value });
        assert.equal(Number(ramP95Mb!.toPrecision(2)), ramP95Mb);
        assert.ok(Math.abs(ramP95Mb! - value) <= 0.0501 * 10 ** power);
      }),
    );
  });

  test("keeps unknown what was not measured", () => {
    const nothing = summarize(emptySamples());
    assert.deepEqual(coarse(nothing), nothing);
  });
});

describe("a percentile by nearest rank", () => {
  test("is the smallest value that the share does not exceed", () => {
    const values = [15, 20, 35, 40, 50];
    assert.deepEqual(
      [0.05, 0.3, 0.4, 0.5, 1].map((share) => percentile(values, share)),
      [15, 20, 20, 35, 50],
    );
    assert.equal(percentile([], 0.5), null);
    assert.equal(mean([]), null);
  });

  test("is a value that was seen, with enough of all at or below it and not too many", () => {
    const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const found = percentile(values, share)!;
        assert.ok(values.includes(found));
        const atOrBelow = values.filter((value) => value <= found).length;
        const below = values.filter((value) => value < found).length;
        assert.ok(atOrBelow >= share * values.length - 1e-9);
        assert.ok(below < share * values.length);
      }),
    );
  });
});
