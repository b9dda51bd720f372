import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { JOB_STATES } from "../../../src/core/job_state.ts";
import { type PhaseInput, phaseRows } from "../../../src/pages/job/phases.ts";

const T = 1_800_000_000_000;

function input(
  over: Partial<PhaseInput> = {},
  times: Partial<PhaseInput["times"]> = {},
): PhaseInput {
  return {
    times: {
      queuedAt: T,
      eligibleAt: T + 100,
      readyAt: T + 300,
      dispatchedAt: T + 400,
      startedAt: T + 450,
      runMs: 500,
      ...times,
    },
    endedAt: T + 1_000,
    state: "succeeded",
    waitingFor: null,
    now: T + 5_000,
    ...over,
  };
}

describe("the phases of an attempt", () => {
  test("are five waits on one scale", () => {
    const { rows, total } = phaseRows(input());
    assert.deepEqual(
      rows.map((row) => [row.label, row.text, row.x, row.width]),
      [
        ["Deferral", "100 ms", 0, 100],
        ["Dependencies", "200 ms", 100, 200],
        ["In line", "100 ms", 300, 100],
        ["Starting", "50 ms", 400, 50],
        ["Running", "500 ms", 450, 550],
      ],
    );
    assert.equal(total, "1.0 s");
  });

  test("the one that goes on grows to now, and those after it are not begun", () => {
    const { rows } = phaseRows(
      input(
        { state: "ready", endedAt: null, now: T + 2_300 },
        { dispatchedAt: null, startedAt: null, runMs: null },
      ),
    );
    const line = rows[2]!;
    assert.equal(line.text, "2.0 s");
    assert.equal(line.since, T + 300);
    assert.equal(line.x + line.width, 1_000);
    assert.deepEqual([rows[3]!.text, rows[4]!.text], ["", ""]);
  });

  test("run time is the worker's own, not the difference of our clocks", () => {
    assert.equal(phaseRows(input({}, { runMs: 123 })).rows[4]!.text, "123 ms");
  });

  test("a job cancelled in line has no phases after that", () => {
    const never = { dispatchedAt: null, startedAt: null, runMs: null };
    const { rows } = phaseRows(input({ state: "cancelled" }, never));
    assert.deepEqual(
      rows.map((row) => row.text),
      ["100 ms", "200 ms", "", "", ""],
    );
  });

  test("whatever the times, bars stay inside and spans are never negative", () => {
    const at = fc.option(fc.integer({ min: T - 5_000, max: T + 1e12 }), { nil: null });
    fc.assert(
      fc.property(
        fc.record({ eligibleAt: at, readyAt: at, dispatchedAt: at, startedAt: at }),
        at,
        fc.constantFrom(...JOB_STATES),
        (times, endedAt, state) => {
          for (const row of phaseRows(input({ endedAt, state }, times)).rows) {
            assert.ok(
              row.x >= 0 && row.width >= 0 && row.x + row.width <= 1_003,
              JSON.stringify(row),
            );
            assert.doesNotMatch(row.text, /-|NaN/);
          }
        },
      ),
    );
  });
});
