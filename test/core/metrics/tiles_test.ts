import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BUCKET_MS, bucketStart } from "../../../src/core/metrics/buckets.ts";
import { countTiles, tilesOf } from "../../../src/core/metrics/tiles.ts";

describe("tiles of a span", () => {
  test("are whole buckets that cover it without a gap, and few", () => {
    const span = fc.record({
      granularity: fc.constantFrom("minute", "hour", "day", "week"),
      start: fc.integer({ min: 0, max: 2_000_000_000_000 }),
      buckets: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(span, ({ granularity, start, buckets }) => {
        const from = bucketStart(granularity, start);
        const to = from + buckets * BUCKET_MS[granularity];
        const tiles = tilesOf({ granularity, from, to });
        let at = from;
        for (const tile of tiles) {
          assert.equal(tile.from, at);
          assert.equal(bucketStart(tile.granularity, tile.from), tile.from);
          assert.equal(bucketStart(tile.granularity, tile.to), tile.to);
          at = tile.to;
        }
        assert.equal(at, to);
        if (granularity === "minute") assert.ok(countTiles(tiles) <= 125);
      }),
    );
  });
});
