import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NEW_FIELDS, type ScheduleFields } from "../../../src/pages/service/schedule_form.ts";
import { clashSentence, mergeFields, wasIn } from "../../../src/pages/service/schedule_merge.ts";

const WAS: ScheduleFields = { ...NEW_FIELDS, name: "nightly", cron: "0 3 * * *" };
const merge = (typed: Partial<ScheduleFields>, is: Partial<ScheduleFields> = {}) =>
  mergeFields({ ...WAS, ...typed }, WAS, { ...WAS, ...is });
const named = (changes: { field: string }[]) => changes.map(({ field }) => field);

describe("the form of a schedule", () => {
  test("changes what was typed, and leaves what somebody else changed meanwhile", () => {
    const { fields, changes, clashes } = merge(
      { description: "every night" },
      { cron: "0 5 * * *", overlap: "queue" },
    );
    assert.deepEqual(named(changes), ["description"]);
    assert.deepEqual(clashes, []);
    assert.deepEqual(
      [fields.description, fields.cron, fields.overlap],
      ["every night", "0 5 * * *", "queue"],
    );
  });

  test("clashes where both changed the same to something else, and says both", () => {
    const { fields, clashes } = merge({ cron: "0 4 * * *" }, { cron: "0 5 * * *" });
    assert.equal(fields.cron, "0 4 * * *");
    assert.deepEqual(named(clashes), ["cron"]);
    assert.match(clashSentence(clashes[0]!), /it is "0 5 . . ." by now, and you wrote "0 4/);
    const same = merge({ cron: "0 5 * * *" }, { cron: "0 5 * * *" });
    assert.deepEqual([same.changes, same.clashes], [[], []]);
  });

  test("compares what is submitted by its meaning, and leaves it where the form has none", () => {
    const spaced = WAS.submits.replaceAll("\n", "\r\n  ");
    assert.deepEqual(merge({ submits: spaced }).changes, []);
    assert.deepEqual(
      merge({ submits: "" }, { submits: '{"job": {}}' }).fields.submits,
      '{"job": {}}',
    );
    const clash = merge(
      { submits: '{"job": {"name": "a"}}' },
      { submits: '{"job": {"name": "b"}}' },
    );
    assert.match(clashSentence(clash.clashes[0]!), /shown below/);
  });

  test("knows what it was printed with only where that is whole", () => {
    const told = (was: string) => wasIn(new URLSearchParams({ was }));
    assert.deepEqual(told(JSON.stringify(WAS)), WAS);
    for (const was of ["", "{", "null", "[]", '{"name": 5}']) assert.equal(told(was), null);
  });
});
