import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { schedulingFiles } from "../../docs/scheduling/page.ts";
import { exampleVetoes } from "../../docs/scheduling/vetoes.ts";
import { VETO_RULES } from "../../src/core/eligibility/veto.ts";

describe("the page about scheduling", () => {
  test("is up to date (else run: bun docs/write.ts)", () => {
    for (const [path, text] of Object.entries(schedulingFiles())) {
      const found = readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");
      assert.equal(found, text, `docs/${path} is out of date: bun docs/write.ts`);
    }
  });

  test("shows every veto there is", () => {
    assert.deepEqual(
      exampleVetoes().map(({ rule }) => rule),
      [...VETO_RULES],
    );
  });
});
