import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changeWords } from "../../../src/web/audit/changes.ts";
import { parseInstant } from "../../../src/web/audit/filter.ts";

const lines = (before: unknown, after: unknown, known?: string[]) =>
  changeWords(before, after, known).fields.map(({ field, was, now, same }) =>
    same ? `${field} ${now}` : `${field} ${was}→${now}`,
  );

describe("a change as words", () => {
  test("what changed comes first, what stayed is its context", () => {
    const before = { queue: "images", state: "failed", paused: true };
    const after = { queue: "images", state: "ready", paused: false };
    assert.deepEqual(lines(before, after), ["state failed→ready", "paused yes→no", "queue images"]);
  });

  test("what was not there before is news, and what is gone has an empty end", () => {
    assert.deepEqual(lines(null, { role: "admin" }), ["role →admin"]);
    assert.deepEqual(lines({ role: "admin" }, null), ["role admin→"]);
    assert.deepEqual(lines({ a: null }, { a: 0 }), ["a →0"]);
    assert.deepEqual(lines(null, null), []);
    assert.deepEqual(lines(undefined, undefined), []);
  });

  test("objects are opened, lists and deep things are printed as they are", () => {
    const filter = {
      tag: { team: "a" },
      state: ["failed"],
      deep: { deeper: { deepest: { x: 1 } } },
    };
    assert.deepEqual(lines(null, { filter }), [
      ...[
        "filter.tag.team →a",
        'filter.state →["failed"]',
        'filter.deep.deeper →{"deepest":{"x":1}}',
      ],
    ]);
    assert.deepEqual(lines("a", [1]), ["value a→[1]"]);
  });

  test("fields that are known need no words unless they changed", () => {
    const known = ["name"];
    assert.deepEqual(lines({ name: "a", x: 1 }, { name: "a", x: 2 }, known), ["x 1→2"]);
    assert.deepEqual(lines({ name: "a" }, { name: "b" }, known), ["name a→b"]);
    assert.deepEqual(lines(null, { name: "a" }, known), []);
  });

  test("long texts are cut, but differ where only their ends do", () => {
    const long = "x".repeat(1_000);
    const [change] = changeWords({ a: `${long}1` }, { a: `${long}2` }).fields;
    assert.equal(change!.same, false);
    assert.ok(change!.now.length < 200 && change!.now.endsWith("…"));
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, i]));
    const { fields, more } = changeWords(null, many);
    assert.deepEqual([fields.length, more], [12, 8]);
  });
});

test("a time is what a form or RFC 3339 says, in UTC where it says no zone", () => {
  const at = (text: string) => {
    const ms = parseInstant(text);
    return ms === null ? null : new Date(ms).toISOString();
  };
  assert.equal(at("2026-11-21"), "2026-11-21T00:00:00.000Z");
  assert.equal(at("2026-11-21T14:02"), "2026-11-21T14:02:00.000Z");
  assert.equal(at("2026-11-21T14:02:03.5Z"), "2026-11-21T14:02:03.500Z");
  assert.equal(at("2026-11-21T14:02:03+02:00"), "2026-11-21T12:02:03.000Z");
  for (const text of ["", "yesterday", "2026-13-01", "2026-11-21T25:00", "14:02", "2026"]) {
    assert.equal(at(text), null, text);
  }
});
