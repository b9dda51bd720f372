import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cut, manyLines, oneLine, wrap } from "../../../src/cli/print/text.ts";
import { between, printAgo, printBytes, printDuration } from "../../../src/cli/print/time.ts";

describe("what others wrote", () => {
  test("moves no cursor, renames no window, hides nothing", () => {
    assert.equal(oneLine("a\u001b[2J\u001b[1;1Hb"), "ab");
    assert.equal(oneLine("x\u001b]0;owned\u0007y\u001b]8;;http://evil\u001b\\z"), "xyz");
    assert.equal(oneLine("one\r\ntwo\u0000\u0008\u009bthree"), "one two three");
    assert.equal(oneLine("ab\u202edc\u2066"), "abdc");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(oneLine(text), /[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });

  test("keeps its lines and tabs where it has several", () => {
    assert.equal(manyLines("a\tb\n\u001b[31mred\u001b[0m\r\n"), "a\tb\nred\n");
  });
});

describe("text for a terminal", () => {
  test("is cut with an ellipsis, in whole characters", () => {
    assert.equal(cut("🚂🚃🚃", 2), "🚂…");
    assert.equal(cut("abc", 3), "abc");
    assert.equal(cut("abc", 0), "");
  });

  test("is wrapped at spaces, further lines indented", () => {
    assert.equal(wrap("one two three four", 9, "  "), "one two\n  three\n  four");
    assert.equal(wrap("unbreakable", 4), "unbreakable");
  });

  test("durations are short, sizes have units, neither is negative", () => {
    assert.deepEqual(
      [-5, 0, 340, 9_960, 59_400, 60_000, 185_000, 3_600_000, 7_800_000, 99 * 3_600_000].map(
        printDuration,
      ),
      [
        "0.0 s",
        "0.0 s",
        "0.3 s",
        "10 s",
        "59 s",
        "1 min",
        "3 min 5 s",
        "1 h",
        "2 h 10 min",
        "4 d 3 h",
      ],
    );
    assert.deepEqual([0, 1023, 1536, 120 * 1024 ** 2].map(printBytes), [
      "0 B",
      "1023 B",
      "1.5 KiB",
      "120 MiB",
    ]);
    const now = Date.parse("2026-01-01T00:01:00Z");
    assert.equal(printAgo("2026-01-01T00:00:20Z", now), "40 s ago");
    assert.equal(printAgo("2026-01-01T00:11:00Z", now), "in 10 min");
    assert.equal(printAgo(null, now), "-");
    assert.equal(between("2026-01-01T00:00:05Z", "2026-01-01T00:00:00Z"), 0);
    assert.equal(between(null, "2026-01-01T00:00:00Z"), undefined);
  });
});
