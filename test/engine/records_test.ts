import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Records } from "../../src/engine/records.ts";

const MANY = 40_000;

describe("attempts on record", () => {
  const records = new Records([
    { job_id: "a", attempt: 1, token: "t", outcome: "failed" },
    { job_id: "b", attempt: 2, token: "u", outcome: "lost" },
  ]);

  test("a report is on record by its job, attempt and token", () => {
    assert.ok(records.holds({ id: "a", attempt: 1, token: "t" }, "failed"));
    // A cancel that nobody asked for was written as a failure.
    assert.ok(records.holds({ id: "a", attempt: 1, token: "t" }, "cancelled"));
    for (const other of [{ id: "b" }, { attempt: 2 }, { token: "u" }]) {
      assert.ok(!records.holds({ id: "a", attempt: 1, token: "t", ...other }, "failed"));
    }
  });

  test("a lease that the server took back holds no report", () => {
    assert.ok(!records.holds({ id: "b", attempt: 2, token: "u" }, "succeeded"));
  });

  test("many reports among many records are looked up without a walk through all of them", () => {
    const job_id = "00000000-0000-7000-8000-000000000001";
    const many = Array.from({ length: MANY }, (_, at) => ({
      ...{ job_id, attempt: at, token: `token ${at}`, outcome: "succeeded" },
    }));
    const began = performance.now();
    const all = new Records(many);
    for (const { attempt, token } of many) {
      assert.ok(all.holds({ id: job_id, attempt, token }, "succeeded"));
    }
    // Some 50 ms; 800,000,000 comparisons take several seconds.
    assert.ok(performance.now() - began < 2_000);
  });
});
