import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { JOB_STATES } from "../../../src/core/job_state.ts";
import { COMPARISONS, KEY_NAMES } from "../../../src/core/search/keys.ts";
import { parseSearch } from "../../../src/core/search/parse.ts";
import { printSearch } from "../../../src/core/search/print.ts";
import type { Term } from "../../../src/core/search/term.ts";
import { cleanText } from "../../../src/core/storable.ts";

const terms = (typed: string) => {
  const { terms, problems } = parseSearch(typed);
  assert.deepEqual(problems, [], typed);
  return terms;
};
const problems = (typed: string) => parseSearch(typed).problems;

/** Text that is easily taken for something else. */
const text = fc
  .oneof(
    fc.string({ minLength: 1 }),
    fc.string({ minLength: 1, unit: "grapheme" }),
    fc
      .array(
        fc.constantFrom('"', "\\", " ", "*", "=", ":", "-", ">", "<", "state", "a", "\u00a0"),
        {
          minLength: 1,
        },
      )
      .map((parts) => parts.join("")),
  )
  .map(cleanText);
const negated = fc.boolean();
const word = fc.record({ key: fc.constant("word" as const), negated, value: text });
const name = fc
  .record({
    key: fc.constantFrom("queue", "name", "org", "worker", "workflow"),
    negated,
    value: text,
    glob: fc.boolean(),
  })
  .map((term) => ({ ...term, glob: term.glob && term.value.includes("*") }));
const term: fc.Arbitrary<Term> = fc.oneof(
  word,
  name as fc.Arbitrary<Term>,
  fc.record({ key: fc.constant("state" as const), negated, value: fc.constantFrom(...JOB_STATES) }),
  fc.record({ key: fc.constant("id" as const), negated, value: fc.uuid() }),
  fc.record({
    key: fc.constant("tag" as const),
    negated,
    name: text,
    value: fc.option(fc.oneof(text, fc.constant(""))),
  }),
  fc.record({
    key: fc.constantFrom("created", "ended"),
    negated,
    comparison: fc.constantFrom(...COMPARISONS),
    at: fc.constantFrom("2026-11-01", "2024-02-29"),
  }) as fc.Arbitrary<Term>,
  fc.record({
    key: fc.constantFrom("created", "ended"),
    negated,
    comparison: fc.constantFrom(">", ">=", "<", "<="),
    at: fc.constantFrom("24h", "7d", "90s", "2026-11-01T14:02", "2026-11-01T14:02:03.004+02:00"),
  }) as fc.Arbitrary<Term>,
  fc.record({
    key: fc.constantFrom("priority", "attempts"),
    negated,
    comparison: fc.constantFrom(...COMPARISONS),
    value: fc.integer({ min: -1_000, max: 1_000 }),
  }) as fc.Arbitrary<Term>,
  fc.record({
    key: fc.constantFrom("error", "payload"),
    negated,
    value: text,
  }) as fc.Arbitrary<Term>,
);

describe("a search as text", () => {
  test("is read as what was printed, whatever it asks", () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 8 }), (made) => {
        const asked = made.map((one) => ({ ...one }));
        assert.deepEqual(terms(printSearch(asked)), asked);
      }),
      { numRuns: 2_000 },
    );
  });

  test("never breaks the reader, and what is read has one spelling", () => {
    const typed = fc.oneof(
      text,
      fc
        .array(fc.oneof(text, fc.constantFrom(...KEY_NAMES.map((key) => `${key}:`))), {
          maxLength: 6,
        })
        .map((parts) => parts.join(" ")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(typed, fc.boolean(), (some, lenient) => {
        const first = parseSearch(some, { lenient });
        const printed = printSearch(first.terms);
        assert.deepEqual(terms(printed), first.terms);
        assert.equal(printSearch(terms(printed)), printed);
      }),
      { numRuns: 2_000 },
    );
  });

  test("has words, keys, quotes and negations", () => {
    assert.deepEqual(
      terms('resize -"two words" STATE:Failed -queue:ci name:build/* tag:a=b=c tag:k'),
      [
        { key: "word", negated: false, value: "resize" },
        { key: "word", negated: true, value: "two words" },
        { key: "state", negated: false, value: "failed" },
        { key: "queue", negated: true, value: "ci", glob: false },
        { key: "name", negated: false, value: "build/*", glob: true },
        { key: "tag", negated: false, name: "a", value: "b=c" },
        { key: "tag", negated: false, name: "k", value: null },
      ],
    );
    assert.deepEqual(terms('error:"a \\"b\\" c" priority:>10 created:>2026-11-01 ended:<24h'), [
      { key: "error", negated: false, value: 'a "b" c' },
      { key: "priority", negated: false, comparison: ">", value: 10 },
      { key: "created", negated: false, comparison: ">", at: "2026-11-01" },
      { key: "ended", negated: false, comparison: "<", at: "24h" },
    ]);
    assert.deepEqual(terms('"state:failed" "-x" -'), [
      { key: "word", negated: false, value: "state:failed" },
      { key: "word", negated: false, value: "-x" },
      { key: "word", negated: false, value: "-" },
    ]);
    assert.deepEqual(terms('  "" \t '), []);
  });

  test("says of each part that asks nothing what is wrong with it, and reads the rest", () => {
    const { terms: rest, problems: said } = parseSearch("colour:red state:failed");
    assert.equal(rest.length, 1);
    assert.match(said[0]!, /^There is no key `colour`; keys are state, queue, .*, id\./);
    assert.match(problems("state:broken")[0]!, /no state “broken”; states are created, queued/);
    assert.match(problems("created:yesterday")[0]!, /“YESTERDAY” is no time/i);
    assert.match(problems("created:2026-02-30")[0]!, /is no day/);
    assert.match(problems("created:24h")[0]!, /Write > or </);
    assert.match(problems("priority:high")[0]!, /whole number/);
    assert.match(problems("queue:")[0]!, /lacks its value/);
    assert.match(problems('error:""')[0]!, /lacks its value/);
    assert.match(problems("tag:=x")[0]!, /has a key/);
    assert.match(problems("id:0192")[0]!, /no whole id/);
    assert.match(problems('say "hello')[0]!, /not closed/);
    assert.match(problems("x ".repeat(101))[0]!, /too many/);
  });

  test("read leniently takes unknown keys for words", () => {
    assert.deepEqual(parseSearch("build:linux https://x state:failed", { lenient: true }), {
      terms: [
        { key: "word", negated: false, value: "build:linux" },
        { key: "word", negated: false, value: "https://x" },
        { key: "state", negated: false, value: "failed" },
      ],
      problems: [],
    });
  });
});
