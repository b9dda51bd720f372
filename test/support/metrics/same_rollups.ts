/** Stored rollups against expected ones, key by key. */
import assert from "node:assert/strict";
import type { Granularity } from "../../../src/core/metrics/buckets.ts";
import type { Expected } from "./exact_rollups.ts";

type Rollups = ReadonlyMap<string, Expected>;

/** @param only which keys are compared: none of them may be missing, and none too many */
export function assertSameRollups(
  stored: Rollups,
  wanted: Rollups,
  only: (key: string) => boolean = () => true,
): void {
  const keys = (rollups: Rollups) => [...rollups.keys()].filter(only).sort();
  // Two lists of ten thousand keys side by side would tell nobody which one is wrong.
  const missing = keys(wanted).filter((key) => !stored.has(key));
  const excess = keys(stored).filter((key) => !wanted.has(key));
  assert.deepEqual({ missing, excess }, { missing: [], excess: [] });
  for (const key of keys(wanted)) assertSame(stored.get(key)!, wanted.get(key)!, key);
}

/** Sums of fractions depend on the order in which they are added. */
function assertSame(stored: Expected, expected: Expected, key: string): void {
  const { sum, ...rest } = stored;
  const { sum: wanted, ...others } = expected;
  assert.deepEqual(rest, others, key);
  const near = Math.abs(sum - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted));
  assert.ok(near, `${key}: ${sum}, not ${wanted}`);
}

/** A key is `granularity metric group bucket`. */
export function granularityOf(key: string): Granularity {
  return key.slice(0, key.indexOf(" ")) as Granularity;
}

/** Epoch milliseconds. */
export function bucketOf(key: string): number {
  return Date.parse(key.slice(key.lastIndexOf(" ") + 1));
}
