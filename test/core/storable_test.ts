import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  checkStorable,
  cleanJson,
  cleanText,
  clipText,
  JSON_LIMITS,
  storable,
} from "../../src/core/storable.ts";

/** Text as an enemy writes it: NUL, halves of pairs, whole pairs, control characters, names. */
const hostileText = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.oneof(
        fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
        fc.constantFrom("\u0000", "\ud800", "\udfff", "\ud83d\ude00", "\ufffd", "\ufeff", "a"),
      ),
      { maxLength: 20 },
    )
    .map((units) => units.join("")),
  fc.constantFrom("__proto__", "constructor", "toString", "__proto__\u0000", "length"),
);

const hostileJson = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    hostileText,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .array(fc.tuple(hostileText, tie("value")), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries)),
  ),
})).value;

/** Whether PostgreSQL would take every text in it. */
function isClean(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\u0000");
  if (Array.isArray(value)) return value.every(isClean);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).every(([key, item]) => isClean(key) && isClean(item));
  }
  return true;
}

function nested(depth: number, core: unknown = 1): unknown {
  let value = core;
  for (let level = 0; level < depth; level += 1) value = level % 2 ? [value] : { value };
  return value;
}

describe("text at the edge", () => {
  test("loses NUL and lone surrogates to the replacement character, and nothing else", () => {
    assert.equal(cleanText("a\u0000b"), "a\ufffdb");
    assert.equal(cleanText("\ud83d"), "\ufffd");
    assert.equal(cleanText("\ude00\ud83d"), "\ufffd\ufffd");
    assert.equal(cleanText("grün 😀 \u0001\u001b[31m"), "grün 😀 \u0001\u001b[31m");
  });

  test("is clean afterwards, of the same length, and cleaning again changes nothing", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const clean = cleanText(text);
        assert.ok(isClean(clean));
        assert.equal(clean.length, text.length);
        assert.equal(cleanText(clean), clean);
        if (isClean(text)) assert.equal(clean, text);
      }),
    );
  });

  test("survives a round through UTF-8", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const bytes = new TextEncoder().encode(cleanText(text));
        assert.equal(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), cleanText(text));
      }),
    );
  });

  test("is cut without halving a character", () => {
    assert.equal(clipText("ab😀", 3), "ab");
    assert.equal(clipText("ab😀", 4), "ab😀");
    assert.equal(clipText("abc", 2), "ab");
    fc.assert(
      fc.property(hostileText, fc.nat({ max: 25 }), (text, length) => {
        const clipped = clipText(text, length);
        assert.ok(clipped.length <= length && isClean(clipped));
      }),
    );
  });
});

describe("a JSON value at the edge", () => {
  test("comes back as the same reference where it was clean", () => {
    const clean = { a: [1, "x", { b: null }], n: Number.NaN, "😀": true };
    assert.equal(cleanJson(clean), clean);
  });

  test("keeps the clean parts of a dirty value as they are", () => {
    const clean = { deep: ["x"] };
    const dirty = [clean, "\u0000", clean];
    const result = cleanJson(dirty) as unknown[];
    assert.deepEqual(result, [clean, "\ufffd", clean]);
    assert.equal(result[0], clean);
    assert.equal(result[2], clean);
    assert.equal(dirty[1], "\u0000");
  });

  test("is cleaned in its keys too, and the later of two keys that become one stays", () => {
    assert.deepEqual(cleanJson({ "a\u0000": 1 }), { "a\ufffd": 1 });
    assert.deepEqual(cleanJson({ "a\u0000": 1, "a\ufffd": 2 }), { "a\ufffd": 2 });
  });

  test("keeps a key called __proto__ a mere key", () => {
    const hostile = JSON.parse('{"__proto__": {"admin": true}, "x": "\\u0000"}');
    const clean = cleanJson(hostile) as Record<string, unknown>;
    assert.equal(clean.admin, undefined);
    assert.equal(Object.getPrototypeOf(clean), Object.prototype);
    assert.deepEqual(Object.getOwnPropertyNames(clean).sort(), ["__proto__", "x"]);
    assert.equal(JSON.stringify(clean), '{"__proto__":{"admin":true},"x":"\ufffd"}');
    assert.equal(({} as Record<string, unknown>).admin, undefined);
  });

  test("is clean afterwards whatever came in, and otherwise the same", () => {
    fc.assert(
      fc.property(hostileJson, (value) => {
        const clean = cleanJson(value);
        assert.ok(isClean(clean));
        assert.equal(cleanJson(clean), clean);
        if (isClean(value)) assert.equal(clean, value);
        else assert.notEqual(clean, value);
      }),
      { numRuns: 500 },
    );
  });

  test("goes through JSON to PostgreSQL without an escape that it refuses", () => {
    fc.assert(
      fc.property(hostileJson, (value) => {
        const json = JSON.stringify(cleanJson(value)) ?? "null";
        assert.doesNotMatch(json, /(?<!\\)(\\\\)*\\u(0000|[dD][89a-fA-F])/);
      }),
    );
  });

  test("is visited once on each level: dirt at the bottom would else take 2^64 visits", () => {
    const dirty = nested(JSON_LIMITS.maxDepth, "\u0000");
    assert.deepEqual(cleanJson(dirty), nested(JSON_LIMITS.maxDepth, "\ufffd"));
  });
});

describe("what cannot be stored", () => {
  test("is refused beyond the depth, with the figure in the sentence", () => {
    assert.equal(checkStorable(nested(64)), null);
    assert.equal(checkStorable(nested(65)), "It is nested deeper than 64 levels.");
    assert.equal(checkStorable(7, { maxBytes: 10, maxDepth: 0 }), null);
    assert.match(checkStorable([], { maxBytes: 10, maxDepth: 0 })!, /deeper than 0/);
  });

  test("cannot overflow the stack or run for ever", () => {
    assert.match(checkStorable(nested(200_000))!, /deeper/);
    assert.doesNotThrow(() => cleanJson(nested(200_000, "\u0000")));
    const circle: unknown[] = [];
    circle.push(circle, circle);
    assert.match(checkStorable(circle)!, /deeper/);
  });

  test("is refused beyond the bytes that its JSON takes in UTF-8, to the byte", () => {
    fc.assert(
      fc.property(hostileJson, (value) => {
        const json = JSON.stringify(value) ?? "";
        const bytes = new TextEncoder().encode(json).length;
        assert.equal(checkStorable(value, { maxBytes: bytes, maxDepth: 64 }), null);
        if (bytes > 0) {
          assert.match(checkStorable(value, { maxBytes: bytes - 1, maxDepth: 64 })!, /larger than/);
        }
      }),
    );
  });

  test("is refused where it is no JSON at all", () => {
    assert.equal(checkStorable({ big: 1n }), "It cannot be written as JSON.");
  });

  test("comes back clean where it can be stored, and never larger for the cleaning", () => {
    fc.assert(
      fc.property(hostileJson, (value) => {
        const result = storable(value);
        assert.ok(result.ok);
        const size = (of: unknown) => new TextEncoder().encode(JSON.stringify(of) ?? "").length;
        assert.ok(isClean(result.value));
        assert.ok(size(result.value) <= size(value));
      }),
    );
    assert.deepEqual(storable(nested(65)), {
      ok: false,
      reason: "It is nested deeper than 64 levels.",
    });
  });
});
