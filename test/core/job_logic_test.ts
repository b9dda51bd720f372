import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createActor } from "xstate";
import { jobLogic, jobSnapshot } from "../../src/core/job_logic.ts";
import { JOB_STATES, type JobState } from "../../src/core/job_state.ts";
import { JOB_EVENTS, nextState } from "../../src/core/job_table.ts";

describe("the live job actor", () => {
  test("wakes in the state of its row", () => {
    for (const state of JOB_STATES) {
      const actor = createActor(jobLogic, { input: { state } }).start();
      assert.equal(actor.getSnapshot().context.state, state);
    }
  });

  test("follows the table on any walk, from any state", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...JOB_STATES),
        fc.array(fc.constantFrom(...JOB_EVENTS), { maxLength: 30 }),
        (start, events) => {
          const actor = createActor(jobLogic, { input: { state: start } }).start();
          let state: JobState = start;
          for (const type of events) {
            actor.send({ type });
            state = nextState(state, type) ?? state;
            assert.equal(actor.getSnapshot().context.state, state);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test("stays up and in place when told what means nothing to it", () => {
    const actor = createActor(jobLogic, { input: { state: "running" } }).start();
    const before = actor.getSnapshot();
    actor.send({ type: "start" });
    actor.send({ type: "no such event" as "start" });
    actor.send({ type: "toString" as "start" });
    assert.equal(actor.getSnapshot().status, "active");
    assert.equal(actor.getSnapshot().context, before.context);
  });

  test("shares one frozen snapshot per state", () => {
    const actor = createActor(jobLogic, { input: { state: "dispatched" } }).start();
    actor.send({ type: "start" });
    assert.equal(actor.getSnapshot().context, jobSnapshot("running"));
    assert.ok(Object.isFrozen(jobSnapshot("running")));
  });
});
