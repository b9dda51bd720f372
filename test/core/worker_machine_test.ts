import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createActor, initialTransition, transition } from "xstate";
import { workerLogic } from "../../src/core/worker_logic.ts";
import { workerMachine } from "../../src/core/worker_machine.ts";
import {
  nextWorkerState,
  takesJobs,
  WORKER_EVENTS,
  WORKER_STATES,
  WORKER_TABLE,
  type WorkerState,
} from "../../src/core/worker_table.ts";

const at = (state: WorkerState) => workerMachine.resolveState({ value: state, context: {} });

describe("the statechart of a worker connection", () => {
  test("has exactly the states of the table, and starts by joining", () => {
    assert.deepEqual(Object.keys(workerMachine.states).sort(), [...WORKER_STATES].sort());
    assert.equal(initialTransition(workerMachine)[0].value, "joining");
  });

  test("agrees with the table for every state and every event", () => {
    for (const state of WORKER_STATES) {
      for (const type of WORKER_EVENTS) {
        const next = nextWorkerState(state, type);
        assert.equal(at(state).can({ type }), next !== undefined, `${state} × ${type}`);
        const [snapshot, actions] = transition(workerMachine, at(state), { type });
        assert.equal(snapshot.value, next ?? state, `${state} × ${type}`);
        assert.deepEqual(actions, []);
      }
    }
  });

  test("can be lost from everywhere and comes back from nowhere", () => {
    assert.deepEqual(WORKER_TABLE.lost, {});
    assert.equal(at("lost").status, "done");
    for (const state of WORKER_STATES) {
      if (state !== "lost") assert.equal(nextWorkerState(state, "drop"), "lost");
    }
  });

  test("takes jobs only while ready, and never again once it drains", () => {
    assert.deepEqual(WORKER_STATES.filter(takesJobs), ["ready"]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORKER_EVENTS)), (events) => {
        let state: WorkerState = "draining";
        for (const event of events) {
          state = nextWorkerState(state, event) ?? state;
          assert.ok(!takesJobs(state));
        }
      }),
    );
  });

  test("the live actor follows the machine on any walk", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORKER_EVENTS), { maxLength: 20 }), (events) => {
        const actor = createActor(workerLogic).start();
        let snapshot = initialTransition(workerMachine)[0];
        for (const type of events) {
          actor.send({ type });
          if (snapshot.status === "active") {
            [snapshot] = transition(workerMachine, snapshot, { type });
          }
          assert.equal(actor.getSnapshot().context.state, snapshot.value);
        }
        actor.stop();
      }),
      { numRuns: 50 },
    );
  });
});
