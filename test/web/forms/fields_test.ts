import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidInput, NotFound } from "../../../src/engine/engine.ts";
import {
  fieldsOf,
  headProblem,
  problemsIn,
  problemsOf,
  typedIn,
} from "../../../src/web/forms/fields.ts";

const SPECS = [
  { name: "name", label: "Name", hint: "How it is called." },
  { name: "per_key", label: "Per key" },
];

describe("a form that comes back", () => {
  test("has what was typed, a sentence beside each wrong field, and the first of them in focus", () => {
    const issues = [
      { path: ["limits", "per_key"], message: "must be a number" },
      { path: ["limits", "per_key"], message: "must be small" },
      { path: ["name"], message: "There is one already" },
    ];
    const typed = { name: "x", per_key: "many" };
    const fields = fieldsOf("form", SPECS, { typed, problems: problemsOf(issues) });
    assert.deepEqual(
      fields.map(({ id, value, problem, describedBy, isFirst }) => {
        return { id, value, problem, describedBy, isFirst };
      }),
      [
        {
          ...{ id: "form-name", value: "x", problem: "There is one already.", isFirst: true },
          describedBy: "form-name-problem form-name-hint",
        },
        {
          ...{ id: "form-per-key", value: "many", problem: "Per key must be a number." },
          ...{ describedBy: "form-per-key-problem", isFirst: false },
        },
      ],
    );
    assert.equal(
      headProblem(problemsOf(issues), fields),
      "Nothing was saved. Look again at: Name, Per key.",
    );
  });

  test("says at its head what no field is to blame for", () => {
    const fields = fieldsOf("form", SPECS, { typed: {}, problems: {} });
    assert.equal(headProblem({}, fields), "");
    assert.equal(headProblem({ "": "There is no room." }, fields), "There is no room.");
    assert.equal(headProblem({ job_name: "must be short" }, fields), "Job name must be short.");
  });

  test("is for wrong input alone: other failures go on", () => {
    assert.deepEqual(problemsIn(new InvalidInput("No room.")), { "": "No room." });
    const issues = [{ path: ["addresses", 1], message: "is none" }];
    assert.deepEqual(problemsIn(new InvalidInput("x", issues)), { addresses: "is none" });
    assert.throws(() => problemsIn(new NotFound("There is none.")), NotFound);
  });

  test("is read bounded, and without what was not asked for", () => {
    const sent = new URLSearchParams({ name: `  ${"x".repeat(5_000)}`, other: "y" });
    const typed = typedIn(sent, ["name", "per_key"]);
    assert.equal(typed.name!.length, 2_000);
    assert.deepEqual(Object.keys(typed), ["name", "per_key"]);
    assert.equal(typed.per_key, "");
  });
});
