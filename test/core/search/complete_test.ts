import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { askedAt, keyOffers, valueOffers } from "../../../src/core/search/complete.ts";
import { parseSearch } from "../../../src/core/search/parse.ts";

describe("completion", () => {
  const asks = (typed: string, caret = typed.length) => askedAt(typed, caret);

  test("knows what is being typed where the caret stands", () => {
    assert.deepEqual(asks("state:failed qu"), {
      ...{ negated: false, key: null, prefix: "qu", start: 13, end: 15 },
    });
    assert.deepEqual(asks("-queue:c x", 8), {
      ...{ negated: true, key: "queue", prefix: "c", start: 0, end: 8 },
    });
    assert.deepEqual(asks('error:"no sp'), {
      ...{ negated: false, key: "error", prefix: "no sp", start: 0, end: 12 },
    });
    assert.deepEqual(asks("queue:a "), {
      ...{ negated: false, key: null, prefix: "", start: 8, end: 8 },
    });
  });

  test("offers keys that begin so, and leaves the rest as it was", () => {
    const [offer, ...more] = keyOffers("-qu state:failed", asks("-qu state:failed", 3));
    assert.equal(more.length, 0);
    assert.deepEqual([offer!.text, offer!.caret], ["-queue: state:failed", 7]);
    assert.equal(keyOffers("", asks("")).length, 14);
    assert.equal(keyOffers("zzz", asks("zzz")).length, 0);
  });

  test("makes a whole term of a value, and goes on behind a tag's key", () => {
    const [one] = valueOffers("queue:c", asks("queue:c"), ["ci"]);
    assert.deepEqual([one!.text, one!.caret], ["queue:ci ", 9]);
    const [tag] = valueOffers("tag:b x", asks("tag:b x", 5), ["branch="]);
    assert.deepEqual([tag!.text, tag!.caret], ["tag:branch= x", 11]);
    const [spaced] = valueOffers("worker:", asks("worker:"), ['my "own" box']);
    assert.equal(spaced!.text, 'worker:"my \\"own\\" box" ');
    assert.deepEqual(parseSearch(spaced!.text).terms, [
      { key: "worker", negated: false, value: 'my "own" box', glob: false },
    ]);
  });

  test("never leaves the text that it was asked about", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(60), (typed, caret) => {
        const asked = askedAt(typed, caret);
        assert.ok(asked.start <= asked.end && asked.end <= typed.length);
        for (const { text, caret: next } of keyOffers(typed, asked)) {
          assert.ok(text.startsWith(typed.slice(0, asked.start)));
          assert.ok(text.endsWith(typed.slice(asked.end)));
          assert.ok(next <= text.length);
        }
      }),
    );
  });
});
