import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  binOf,
  ERROR,
  GROWTH,
  histogramOf,
  LEAST,
  mergeHistograms,
  middleOf,
  percentile,
} from "../../../src/core/metrics/histogram.ts";

const figure = fc.double({ min: 0, max: 1e15, noNaN: true });
const figures = fc.array(figure, { minLength: 1, maxLength: 300 });

function exactPercentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!;
}

function ends(values: readonly number[]) {
  return { least: Math.min(...values), most: Math.max(...values) };
}

describe("a percentile of a histogram", () => {
  test("is within one percent of the exact one, of whatever figures above the least", () => {
    fc.assert(
      fc.property(figures, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const found = percentile(histogramOf(values), share, ends(values))!;
        const exact = exactPercentile(values, share);
        const error = Math.abs(found - exact);
        assert.ok(
          error <= Math.max(LEAST * GROWTH, exact * (ERROR + 1e-9)),
          `${found}, not ${exact}`,
        );
      }),
      { numRuns: 500 },
    );
  });

  test("never leaves the figures, and is null of none", () => {
    assert.equal(percentile(histogramOf([]), 0.5, { least: null, most: null }), null);
    assert.equal(percentile(histogramOf([7]), 0.99, { least: 7, most: 7 }), 7);
    assert.equal(percentile(histogramOf([0, 0, 5]), 0.5, { least: 0, most: 5 }), 0);
  });
});

describe("histograms", () => {
  test("add up in any order to that of all figures together", () => {
    fc.assert(
      fc.property(figures, figures, figures, (a, b, c) => {
        const [x, y, z] = [histogramOf(a), histogramOf(b), histogramOf(c)];
        const all = histogramOf([...a, ...b, ...c]);
        assert.deepEqual(mergeHistograms([x, y, z]), all);
        assert.deepEqual(mergeHistograms([mergeHistograms([z, x]), y]), all);
      }),
    );
  });

  test("keep the order of figures below zero, too, in bins of either kind", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true })), (values) => {
        for (const width of [undefined, 1]) {
          const sorted = [...values].sort((a, b) => a - b);
          const bins = sorted.map((value) => binOf(value, width));
          assert.deepEqual(
            bins,
            [...bins].sort((a, b) => a - b),
          );
        }
      }),
    );
  });

  test("have bins whose middle is in them", () => {
    for (const bin of [-500, -1, 0, 1, 2, 77, 900]) assert.equal(binOf(middleOf(bin)), bin);
    for (const bin of [-3, 0, 12]) assert.equal(binOf(middleOf(bin, 1), 1), bin);
  });
});
