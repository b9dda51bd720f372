import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  bucketStart,
  bucketsBetween,
  coarser,
  countBuckets,
  GRANULARITIES,
  granularityFor,
} from "../../../src/core/metrics/buckets.ts";
import {
  CATALOGUE,
  GROUPINGS,
  groupingFor,
  knownMetric,
} from "../../../src/core/metrics/catalogue.ts";
import { EMPTY, histogramOf } from "../../../src/core/metrics/histogram.ts";
import { addGauges, pointsOf, totalOf } from "../../../src/core/metrics/series.ts";
import { RULES } from "../../../src/core/scoring/score.ts";

const at = (text: string) => Date.parse(text);
const moment = fc.integer({ min: 0, max: 4e12 });

describe("buckets", () => {
  test("begin at whole minutes, hours, days and Mondays, in UTC", () => {
    const ms = at("2026-10-25T00:59:59.999Z");
    assert.equal(bucketStart("minute", ms), at("2026-10-25T00:59:00Z"));
    assert.equal(bucketStart("hour", ms), at("2026-10-25T00:00:00Z"));
    assert.equal(bucketStart("day", ms), at("2026-10-25T00:00:00Z"));
    assert.equal(bucketStart("week", ms), at("2026-10-19T00:00:00Z"));
  });

  test("consist of whole finer ones", () => {
    fc.assert(
      fc.property(moment, (ms) => {
        for (const granularity of GRANULARITIES) {
          const next = coarser(granularity);
          if (!next) continue;
          assert.equal(bucketStart(granularity, bucketStart(next, ms)), bucketStart(next, ms));
        }
      }),
    );
  });

  test("are counted without being made", () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 1, max: 1e9 }), (from, span) => {
        for (const granularity of ["hour", "day", "week"] as const) {
          const made = bucketsBetween(granularity, from, from + span).length;
          assert.equal(countBuckets(granularity, from, from + span), made);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("of a chart are never more than its width shows", () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 60_000, max: 3e10 }), (from, span) => {
        assert.ok(countBuckets(granularityFor(from, from + span), from, from + span) <= 750);
      }),
    );
  });
});

describe("the catalogue", () => {
  test("has an id and a key of its own for each metric, and ids of two bytes", () => {
    assert.equal(new Set(CATALOGUE.map(({ id }) => id)).size, CATALOGUE.length);
    assert.equal(new Set(CATALOGUE.map(({ key }) => key)).size, CATALOGUE.length);
    assert.ok(CATALOGUE.every(({ id }) => id > 0 && id < 32_768));
  });

  test("explains each metric in a sentence, and knows every rule of the score", () => {
    for (const { definition } of CATALOGUE) assert.match(definition, /^[A-Z].*\.$/);
    for (const rule of RULES) assert.ok(knownMetric(`score.${rule.name}`));
  });

  test("has what the contract names", () => {
    const named =
      "jobs.created jobs.dispatched jobs.succeeded jobs.failed jobs.retried jobs.cancelled " +
      "jobs.duration_ms deps.wait_ms dispatch.wait_ms start.latency_ms evals.completed evals.failed " +
      "workers.connected workers.draining slots.used slots.offered cache.bytes_sent cache.bytes_added " +
      "cache.requests usage.peak_ram_mb usage.cpu_ms usage.disk_bytes";
    for (const key of named.split(" ")) assert.ok(knownMetric(key), key);
  });

  test("never keeps a product of dimensions", () => {
    const metric = knownMetric("jobs.succeeded");
    assert.equal(groupingFor(metric, ["queue", "org"]), "org,queue");
    assert.equal(groupingFor(metric, ["org", "queue", "name"]), null);
    assert.equal(groupingFor(metric, ["worker", "org"]), null);
    for (const { groupings } of CATALOGUE) {
      for (const one of groupings) assert.ok(GROUPINGS.includes(one));
    }
  });
});

describe("points of a series", () => {
  const minute = (n: number) => at("2026-11-22T10:00:00Z") + n * 60_000;
  const cell = (bucket: number, count: number, sum: number) => ({
    ...{ bucket, count, sum, least: null, most: null, histogram: EMPTY },
  });
  const span = { granularity: "minute" as const, from: minute(0), to: minute(5) };

  test("tell nothing happened from nothing known, and mark what still runs", () => {
    const counter = { kind: "counter" as const };
    const covered = { from: minute(1), to: minute(4) + 1 };
    const points = pointsOf(counter, [cell(minute(2), 3, 0)], span, covered);
    assert.deepEqual(
      points.map((point) => point.count),
      [null, 0, 3, 0, 0],
    );
    assert.deepEqual(
      points.map((point) => point.sum),
      [null, 0, 3, 0, 0],
    );
    assert.deepEqual(
      points.map((point) => point.isRunning),
      [false, false, false, false, true],
    );
  });

  test("of a gauge are gaps where nobody looked, and zero where nothing was there", () => {
    const gauge = { kind: "gauge" as const };
    const looks = new Map([
      [minute(1), 4],
      [minute(2), 4],
    ]);
    const covered = { from: minute(0), to: minute(5), looks };
    const points = pointsOf(gauge, [cell(minute(2), 4, 8)], span, covered);
    assert.deepEqual(
      points.map((point) => point.avg),
      [null, 0, 2, null, null],
    );
  });

  test("of a gauge count the looks at which the group was not there", () => {
    const covered = { from: minute(0), to: minute(5), looks: new Map([[minute(2), 8]]) };
    const cells = [cell(minute(2), 4, 8), cell(minute(2), 2, 4)];
    const points = pointsOf({ kind: "gauge" }, cells, span, covered);
    const { count, avg, least } = points[2]!;
    assert.deepEqual([count, avg, least], [8, 1.5, 0]);
  });

  test("of several groups' gauges add up what was there at once", () => {
    const both = addGauges([cell(minute(0), 4, 8), cell(minute(0), 4, 4)]);
    assert.equal(both.sum / both.count, 3);
  });
});

describe("a total of a span", () => {
  const cell = (bucket: number, values: number[]) => ({
    ...{ bucket, count: values.length, sum: values.reduce((sum, one) => sum + one, 0) },
    ...{ least: Math.min(...values), most: Math.max(...values), histogram: histogramOf(values) },
  });

  test("has the percentiles of all its values, not a mean of percentiles", () => {
    const few = [1_000];
    const many = Array.from({ length: 99 }, (_, at) => at + 1);
    const total = totalOf({ kind: "distribution" }, [cell(0, few), cell(60_000, many)]);
    assert.deepEqual([total.count, total.sum, total.least, total.most], [100, 5_950, 1, 1_000]);
    assert.equal(total.avg, 59.5);
    for (const [shown, exact] of [
      [total.p50, 50],
      [total.p95, 95],
      [total.p99, 99],
    ] as const) {
      assert.ok(Math.abs(shown! - exact) <= exact * 0.01, `${shown}, not ${exact}`);
    }
  });

  test("of nothing counts nothing and means nothing", () => {
    for (const kind of ["distribution", "counter", "gauge"] as const) {
      const { count, sum, avg, p50 } = totalOf({ kind }, []);
      assert.deepEqual([count, sum, avg, p50], [0, 0, null, null], kind);
    }
  });

  test("of a gauge is its mean over all looks, those at which there was nothing too", () => {
    const seen = (bucket: number, count: number, sum: number) => {
      return { bucket, count, sum, least: 0, most: sum, histogram: EMPTY };
    };
    const looks = new Map([
      [0, 4],
      [60_000, 4],
      [120_000, 4],
    ]);
    const total = totalOf({ kind: "gauge" }, [seen(0, 4, 8), seen(60_000, 2, 4)], looks);
    assert.deepEqual([total.count, total.sum, total.avg], [12, 12, 1]);
    const two = totalOf({ kind: "gauge" }, [seen(0, 4, 8), seen(0, 4, 4)], looks);
    assert.deepEqual([two.count, two.sum], [12, 12]);
  });
});
