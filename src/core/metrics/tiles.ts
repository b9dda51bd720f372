/**
 * A span as few stored buckets: whole days or hours where they fit, and finer ones at its ends. So the sums
 * of many names over a span are exact and still few rows. Pure.
 */
import { BUCKET_MS, bucketStart, countBuckets, type Granularity } from "./buckets.ts";

export interface Tile {
  granularity: Granularity;
  /** Epoch milliseconds, whole buckets: [from, to). */
  from: number;
  to: number;
}

const COARSER: Partial<Record<Granularity, Granularity>> = { minute: "hour", hour: "day" };

/** [from, to) must be whole buckets of `granularity`. In order of time; each but adjoins the next. */
export function tilesOf({ granularity, from, to }: Tile): Tile[] {
  const coarser = COARSER[granularity];
  if (coarser === undefined || from >= to) return from < to ? [{ granularity, from, to }] : [];
  const start = bucketStart(coarser, from + BUCKET_MS[coarser] - 1);
  const end = bucketStart(coarser, to);
  if (start >= end) return [{ granularity, from, to }];
  return [
    ...(from < start ? [{ granularity, from, to: start }] : []),
    ...tilesOf({ granularity: coarser, from: start, to: end }),
    ...(end < to ? [{ granularity, from: end, to }] : []),
  ];
}

export function countTiles(tiles: readonly Tile[]): number {
  return tiles.reduce((sum, one) => sum + countBuckets(one.granularity, one.from, one.to), 0);
}
