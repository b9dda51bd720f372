/** Windows out of rollups, against the mean of the events themselves. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BUCKET_MS, bucketStart, type Granularity } from "../../../src/core/metrics/buckets.ts";
import { knownMetric } from "../../../src/core/metrics/catalogue.ts";
import {
  NO_WINDOWS,
  WINDOW_METRICS,
  WINDOW_MS,
  WINDOW_NAMES,
  type WindowCell,
  windowSpans,
  windowsOf,
} from "../../../src/core/metrics/windows.ts";

const { minute: MINUTE, hour: HOUR, day: DAY } = BUCKET_MS;
const END = Date.UTC(2026, 7, 1, 9, 42);
const idOf = (key: string) => knownMetric(key).id;

interface Happened {
  key: string;
  at: number;
  value: number;
}

/** Rollups of what has happened, as far as a reader of windows asks for them. */
function cellsOf(all: readonly Happened[], end: number): WindowCell[] {
  const { head, recent, hours } = windowSpans(end);
  const read = [
    { granularity: "minute", ...head },
    { granularity: "minute", ...recent },
    { granularity: "hour", ...hours },
  ] as const;
  const groups = read.flatMap(({ granularity, from, to }) => {
    const some = all.map((one) => ({
      ...one,
      bucket: bucketStart(granularity as Granularity, one.at),
    }));
    const within = some.filter(({ bucket }) => bucket >= from && bucket < to);
    const byBucket = Map.groupBy(within, ({ key, bucket }) => `${key}/${bucket}`);
    return [...byBucket.values()].map((own) => ({ granularity, own }));
  });
  return groups.map(({ granularity, own }) => ({
    ...{ metric: idOf(own[0]!.key), granularity, bucket: own[0]!.bucket, count: own.length },
    sum: own.reduce((sum, { value }) => sum + value, 0),
  }));
}

const windows = (all: readonly Happened[], end = END, now = end) =>
  windowsOf(cellsOf(all, end), end, now);
const waited = (ago: number, value: number): Happened => {
  return { key: "dispatch.wait_ms", at: END - ago, value };
};

describe("the windows of an instance", () => {
  test("hold the mean of what happened in the last 5 minutes, hour and day, and of nothing else", () => {
    const ago = fc.oneof(
      fc.integer({ min: 1, max: 10 * MINUTE }),
      fc.integer({ min: 1, max: 2 * HOUR }),
      fc.integer({ min: 1, max: 26 * HOUR }),
    );
    const waits = fc.array(fc.tuple(ago, fc.integer({ min: 0, max: 1_000_000 })));
    const minutes = fc.integer({ min: 0, max: 59 });
    fc.assert(
      fc.property(waits, minutes, (some, minute) => {
        const end = END + minute * MINUTE;
        const all = some.map(([ms, value]) => ({ key: "usage.cpu_ms", at: end - ms, value }));
        const { cpuMs } = windows(all, end);
        for (const name of WINDOW_NAMES) {
          const inside = all.filter(({ at }) => at >= end - WINDOW_MS[name] && at < end);
          if (inside.length === 0) assert.equal(cpuMs[name], null, name);
          else {
            const mean = inside.reduce((sum, { value }) => sum + value, 0) / inside.length;
            // Of three digits, the last is rounded.
            assert.ok(Math.abs(cpuMs[name]! - mean) <= 0.00501 * mean, `${name}: ${cpuMs[name]}`);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("ask for whole hours and a few minutes, each moment of the day once", () => {
    for (let minute = 0; minute < 60; minute += 1) {
      const end = END + minute * MINUTE;
      const { head, recent, hours } = windowSpans(end);
      assert.deepEqual([head.from, head.to], [end - DAY, hours.from]);
      assert.deepEqual([recent.from, recent.to], [end - HOUR, end]);
      assert.ok(hours.from % HOUR === 0 && hours.to % HOUR === 0);
      assert.ok(
        recent.from <= hours.to && hours.to <= end,
        "hours and the last hour's minutes meet",
      );
      assert.ok(head.to - head.from < HOUR && hours.to - hours.from <= DAY);
    }
  });

  test("tell nothing measured from a measured zero", () => {
    const { waitSeconds, runMs } = windows([waited(30 * MINUTE, 0)]);
    assert.deepEqual(waitSeconds, { w5m: null, w1h: 0, w24h: 0 });
    assert.deepEqual(runMs, { w5m: null, w1h: null, w24h: null });
  });

  test("give waits in seconds, and the others as they are measured", () => {
    const all = [waited(MINUTE, 90_000), { key: "start.latency_ms", at: END - 1, value: 12 }];
    const { waitSeconds, startLatencyMs } = windows(all);
    assert.deepEqual([waitSeconds.w5m, startLatencyMs.w5m], [90, 12]);
  });

  test("count what was completed, zero too, and the share of it that failed", () => {
    const ended = (key: string, ago: number) => ({ key, at: END - ago, value: 0 });
    const { completed, failureShare } = windows([
      ...[ended("jobs.succeeded", HOUR - 1), ended("jobs.succeeded", 5 * HOUR)],
      ...[ended("jobs.failed", 6 * HOUR), ended("jobs.cancelled", MINUTE)],
    ]);
    assert.deepEqual(completed, { w5m: 0, w1h: 1, w24h: 3 });
    assert.deepEqual(failureShare, { w5m: null, w1h: 0, w24h: 0.333 });
  });

  test("are unknown where they ended longer ago than they are long", () => {
    const all = [waited(MINUTE, 4_000)];
    assert.deepEqual(windows(all, END, END + 6 * MINUTE).waitSeconds, {
      w5m: null,
      w1h: 4,
      w24h: 4,
    });
    assert.deepEqual(windows(all, END, END + 2 * HOUR).completed, {
      w5m: null,
      w1h: null,
      w24h: 0,
    });
    assert.deepEqual(windows(all, END, END + 25 * HOUR), NO_WINDOWS);
  });

  test("are unknown, all of them, while rollups know of nothing", () => {
    assert.deepEqual(windowsOf([], null, END), NO_WINDOWS);
    for (const figure of Object.values(NO_WINDOWS)) {
      assert.deepEqual(figure, { w5m: null, w1h: null, w24h: null });
    }
  });

  test("are made of metrics that rollups keep of the whole instance", () => {
    assert.equal(new Set(WINDOW_METRICS).size, 9);
    for (const key of ["dispatch.wait_ms", "usage.disk_bytes", "jobs.failed"]) {
      assert.ok(WINDOW_METRICS.includes(idOf(key)), key);
      assert.ok(knownMetric(key).groupings.includes(""), key);
    }
  });
});
