import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainTerms } from "../../../src/core/scoring/explain.ts";
import { RULES, RULES_VERSION } from "../../../src/core/scoring/score.ts";

describe("stored terms", () => {
  test("are told with the rule, what it rewards and how it reckons", () => {
    const told = explainTerms([12.5, 0, -1000], RULES_VERSION);
    assert.deepEqual(
      told.map(({ rule, contribution }) => [rule, contribution]),
      [
        ["wait_and_priority", 12.5],
        ["resource_fit", 0],
        ["saturation", -1000],
      ],
    );
    const { weight, help, formula } = RULES[2]!;
    assert.deepEqual(told[2], { rule: "saturation", contribution: -1000, weight, help, formula });
  });

  test("are read from a typed array as well, all of them", () => {
    const terms = new Float32Array(RULES.length).fill(1);
    assert.equal(explainTerms(terms, RULES_VERSION).length, RULES.length);
  });

  test("of a version that nobody remembers keep their figures", () => {
    const [told] = explainTerms([7], 99);
    assert.deepEqual([told!.rule, told!.contribution, told!.weight], ["rule_1", 7, 0]);
    assert.match(told!.help, /version 99/);
  });

  test("beyond the rules of their version keep their figures too", () => {
    const told = explainTerms(new Array(RULES.length + 1).fill(1), RULES_VERSION);
    assert.equal(told.at(-1)!.rule, `rule_${RULES.length + 1}`);
  });

  test("may be none", () => {
    assert.deepEqual(explainTerms([], RULES_VERSION), []);
  });
});
