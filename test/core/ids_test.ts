import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { v4, v7 } from "uuid";
import {
  dayBounds,
  dayOf,
  likelyEnds,
  orderOfId,
  possibleEnds,
  smallestId,
  timeOfId,
} from "../../src/core/ids.ts";

const moment = fc.integer({ min: 0, max: Date.UTC(9999, 11, 30) });

describe("an id", () => {
  test("tells the millisecond of its making", () => {
    fc.assert(fc.property(moment, (msecs) => assert.equal(timeOfId(v7({ msecs })), msecs)));
    assert.equal(timeOfId(v7({ msecs: 1_754_000_000_000 }).toUpperCase()), 1_754_000_000_000);
  });

  test("tells no time where it is no UUIDv7", () => {
    for (const text of ["", "x", v4(), smallestId(5), `${v7()}0`, ` ${v7()}`]) {
      assert.equal(timeOfId(text), null, text);
    }
  });

  test("is never below the smallest of its moment, and always below that of the next", () => {
    fc.assert(
      fc.property(moment, (msecs) => {
        const id = v7({ msecs });
        assert.ok(smallestId(msecs) <= id && id < smallestId(msecs + 1), id);
      }),
    );
  });

  test("has a number that orders ids as their text does, as far as it tells them apart", () => {
    const near = fc.tuple(moment, fc.integer({ min: 0, max: 3 }));
    fc.assert(
      fc.property(near, ([msecs, later]) => {
        const [a, b] = [v7({ msecs }), v7({ msecs: msecs + later })];
        const ahead = orderOfId(a) - orderOfId(b);
        if (ahead !== 0) assert.equal(ahead < 0, a < b, `${a} ${b}`);
        // In this century a number holds all of it.
        if (later > 0 && msecs < 2 ** 41 - 3) assert.ok(ahead < 0, `${a} ${b}`);
      }),
    );
  });

  test("cannot be made for a moment that it could not hold", () => {
    for (const ms of [-1, 2 ** 48, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => smallestId(ms), RangeError);
    }
    assert.equal(smallestId(2 ** 48 - 1), "ffffffff-ffff-0000-0000-000000000000");
  });
});

describe("the bounds of a day", () => {
  test("hold every id of the day and none of its neighbours", () => {
    fc.assert(
      fc.property(moment, (msecs) => {
        const { from, to } = dayBounds(dayOf(msecs));
        const id = v7({ msecs });
        assert.ok(from <= id && id < to);
      }),
    );
  });

  test("meet those of the next day without a gap, leap days and centuries included", () => {
    for (const [day, next] of [
      ["2026-08-01", "2026-08-02"],
      ["2028-02-28", "2028-02-29"],
      ["2028-02-29", "2028-03-01"],
      ["2100-02-28", "2100-03-01"],
      ["2026-12-31", "2027-01-01"],
    ] as const) {
      assert.equal(dayBounds(day).to, dayBounds(next).from);
    }
    assert.equal(dayBounds("1970-01-01").from, "00000000-0000-0000-0000-000000000000");
  });

  test("are refused for what is no day", () => {
    for (const day of [
      "",
      "today",
      "2026-02-30",
      "2026-8-1",
      "2026-08-01T00:00:00Z",
      "1969-12-31",
    ]) {
      assert.throws(() => dayBounds(day), RangeError, day);
    }
  });
});

test("nothing ends two days before the oldest of some ids was made, and of other ids nothing is known", () => {
  const made = [1_754_000_000_000, 1_753_000_000_000, 1_755_000_000_000];
  const ids = made.map((msecs) => v7({ msecs }));
  const day = 86_400_000;
  assert.equal(possibleEnds(...ids).since.getTime(), 1_753_000_000_000 - 2 * day);
  assert.deepEqual(likelyEnds(...ids), {
    since: possibleEnds(...ids).since,
    until: new Date(1_755_000_000_000 + 3 * day),
  });
  const other = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  assert.equal(possibleEnds(ids[0]!, other).since.getTime(), 0);
  assert.deepEqual(likelyEnds(ids[0]!, other), possibleEnds(ids[0]!, other));
});
