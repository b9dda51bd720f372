import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Line, type Waiting } from "../../src/engine/window.ts";
import { aWaiting } from "../support/waiting.ts";

const MAX = 1_024;
const rank = fc.integer({ min: 1, max: 40 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("offer" as const), job: fc.nat(2_000), rank }),
  // Rows are moved up once as many are gone as are left.
  fc.record({ kind: fc.constant("take" as const), count: fc.constantFrom(1, 5, 510, 512, 600) }),
  fc.record({ kind: fc.constant("again" as const), place: fc.nat(2), rank }),
  fc.record({ kind: fc.constant("remove" as const), place: fc.nat(30) }),
  fc.record({ kind: fc.constant("read" as const), count: fc.nat(1_100), rank }),
);

const idOf = (job: number) => `00000000-0000-7000-8000-${String(job).padStart(12, "0")}`;

function rowsOf(line: Line): Waiting[] {
  return Array.from({ length: line.size }, (_, place) => line.at(place)!);
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.id < b.id);
}

/** What a keyset read of a line gives: in order, behind the last key. */
function readOf(line: Line, count: number, at: number): Waiting[] {
  const behind = Math.max(at, line.afterRank === Number.NEGATIVE_INFINITY ? 0 : line.afterRank + 1);
  return Array.from({ length: count }, (_, job) => aWaiting({ id: idOf(job), rank: behind }));
}

describe("a line of the window", () => {
  it("holds each job once, in order, and knows which it holds, short and long", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const line = new Line(1);
        line.exhausted = true;
        for (const one of steps) {
          if (one.kind === "read") line.append(readOf(line, one.count, one.rank), () => true);
          if (one.kind === "take")
            for (let n = Math.min(one.count, line.size); n > 0; n--) line.take(0);
          if (one.kind === "remove" && one.place < line.size) line.remove(line.at(one.place)!);
          if (one.kind === "offer" || (one.kind === "again" && one.place < line.size)) {
            const id = one.kind === "offer" ? idOf(one.job) : line.at(one.place)!.id;
            const job = aWaiting({ id, rank: one.rank });
            const isTaken = line.exhausted && line.size < MAX;
            line.offer(job, MAX);
            if (isTaken) assert.ok(rowsOf(line).includes(job), "it was offered");
          }
          const rows = rowsOf(line);
          assert.equal(new Set(rows.map((row) => row.id)).size, rows.length, "each once");
          for (let at = 1; at < rows.length; at++) assert.ok(isBefore(rows[at - 1]!, rows[at]!));
          const held = new Set(rows.map((row) => row.id));
          for (let job = 0; job <= 2_000; job += 7)
            assert.equal(line.has(idOf(job)), held.has(idOf(job)));
        }
      }),
      { numRuns: 200 },
    );
  });
});
