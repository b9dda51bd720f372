import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { runbookFiles } from "../../../docs/runbooks/pages.ts";
import { ALERT_RULES } from "../../../src/core/alerts/rules.ts";
import { RUNBOOKS, stepHref } from "../../../src/core/alerts/runbooks.ts";

describe("runbooks", () => {
  test("are up to date (else run: bun docs/write.ts)", () => {
    for (const [path, text] of Object.entries(runbookFiles())) {
      const found = readFileSync(new URL(`../../../docs/${path}`, import.meta.url), "utf8");
      assert.equal(found, text, `docs/${path} is out of date: bun docs/write.ts`);
    }
  });

  test("say of each rule what to look at and what to do", () => {
    for (const { name } of ALERT_RULES) {
      assert.ok(RUNBOOKS[name].look.length > 1 && RUNBOOKS[name].mend.length > 1, name);
    }
  });

  test("lead to pages about the job, whatever it is called", () => {
    const step = { text: "", href: "/board/background?name={name}" };
    assert.equal(stepHref(step, 'a&b="c'), "/board/background?name=a%26b%3D%22c");
    assert.equal(stepHref({ text: "" }, "a"), null);
  });
});
