import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { getNextTransitions, initialTransition, transition } from "xstate";
import { jobMachine } from "../../src/core/job_machine.ts";
import {
  canCancel,
  canRetry,
  FINAL_STATES,
  isFinal,
  isLeased,
  JOB_STATES,
  type JobState,
} from "../../src/core/job_state.ts";
import { JOB_EVENTS, JOB_TABLE, type JobEventType, nextState } from "../../src/core/job_table.ts";

const at = (state: JobState) => jobMachine.resolveState({ value: state, context: {} });

function after(state: JobState, type: JobEventType): JobState {
  return transition(jobMachine, at(state), { type })[0].value as JobState;
}

/** The states that a walk along the table can reach from here. */
function reachable(from: JobState): Set<JobState> {
  const seen = new Set<JobState>([from]);
  for (const state of seen) {
    for (const next of Object.values(JOB_TABLE[state])) seen.add(next);
  }
  return seen;
}

describe("the job's statechart", () => {
  test("has exactly the states that a job can be stored in", () => {
    assert.deepEqual(Object.keys(jobMachine.states).sort(), [...JOB_STATES].sort());
    assert.deepEqual(Object.keys(JOB_TABLE).sort(), [...JOB_STATES].sort());
  });

  test("starts as created", () => {
    assert.equal(initialTransition(jobMachine)[0].value, "created");
  });

  test("agrees with the table for every state and every event", () => {
    for (const state of JOB_STATES) {
      for (const event of JOB_EVENTS) {
        const understood = at(state).can({ type: event });
        const next = nextState(state, event);
        assert.equal(
          understood,
          next !== undefined,
          `${state} × ${event} is understood by one only`,
        );
        assert.equal(after(state, event), next ?? state, `${state} × ${event}`);
      }
    }
  });

  test("does nothing but change state: no actions, no delays", () => {
    for (const state of JOB_STATES) {
      for (const event of JOB_EVENTS) {
        assert.deepEqual(transition(jobMachine, at(state), { type: event })[1], []);
      }
    }
  });

  test("knows no event besides those of the table", () => {
    const known = new Set<string>(JOB_EVENTS);
    for (const state of JOB_STATES) {
      for (const { eventType } of getNextTransitions(at(state))) {
        assert.ok(known.has(eventType), `${state} understands ${eventType}`);
      }
    }
  });

  test("uses every event somewhere", () => {
    for (const event of JOB_EVENTS) {
      assert.ok(
        JOB_STATES.some((state) => nextState(state, event)),
        `${event} means nothing anywhere`,
      );
    }
  });

  test("reaches every state from created, and every final state from every live one", () => {
    assert.deepEqual([...reachable("created")].sort(), [...JOB_STATES].sort());
    for (const state of JOB_STATES.filter((state) => !isFinal(state))) {
      for (const final of FINAL_STATES) {
        assert.ok(reachable(state).has(final), `${final} is out of reach from ${state}`);
      }
    }
  });

  test("leaves succeeded never, and other final states only by retry", () => {
    assert.deepEqual(JOB_TABLE.succeeded, {});
    for (const state of FINAL_STATES) {
      assert.deepEqual(JOB_TABLE[state], canRetry(state) ? { retry: "queued" } : {});
    }
  });

  test("tags the same states as final and leased as the rest of the system", () => {
    for (const state of JOB_STATES) {
      assert.equal(at(state).hasTag("final"), isFinal(state), state);
      assert.equal(at(state).hasTag("leased"), isLeased(state), state);
    }
  });

  test("can be cancelled wherever cancelling is offered, except before it is queued", () => {
    for (const state of JOB_STATES.filter((state) => state !== "created")) {
      assert.equal(nextState(state, "cancel") !== undefined, canCancel(state), state);
    }
  });

  test("walks at random as the table does, and never out of the known states", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...JOB_EVENTS), { maxLength: 60 }), (events) => {
        let snapshot = initialTransition(jobMachine)[0];
        let state: JobState = "created";
        for (const type of events) {
          if (snapshot.status === "active") [snapshot] = transition(jobMachine, snapshot, { type });
          state = nextState(state, type) ?? state;
          assert.equal(snapshot.value, state);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("ends at last when nothing more goes wrong, wherever a random walk left it", () => {
    const towardsTheEnd: Partial<Record<JobState, JobEventType>> = {
      created: "queue",
      queued: "ready",
      ready: "dispatch",
      dispatched: "start",
      running: "succeed",
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...JOB_EVENTS), { maxLength: 40 }), (events) => {
        let state = events.reduce<JobState>((at, event) => nextState(at, event) ?? at, "created");
        for (let step = 0; !isFinal(state); step += 1) {
          assert.ok(step < 5, `stuck in ${state}`);
          state = nextState(state, towardsTheEnd[state]!)!;
        }
      }),
    );
  });
});
