import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { currentWait, type PhaseTimes, waitsOf } from "../../src/core/waits.ts";

const none: PhaseTimes = {
  queuedAt: 1000,
  eligibleAt: null,
  readyAt: null,
  dispatchedAt: null,
  startedAt: null,
  runMs: null,
};

describe("the waits of an attempt", () => {
  test("are the differences between neighbouring phases", () => {
    const times = {
      queuedAt: 1000,
      eligibleAt: 1500,
      readyAt: 4000,
      dispatchedAt: 4020,
      startedAt: 4027,
      runMs: 12.5,
    };
    assert.deepEqual(waitsOf(times), {
      deferralMs: 500,
      dependencyWaitMs: 2500,
      queueWaitMs: 20,
      startLatencyMs: 7,
      runMs: 12.5,
    });
  });

  test("are unknown until both their ends are known", () => {
    assert.deepEqual(Object.values(waitsOf(none)), [null, null, null, null, null]);
    const dispatched = waitsOf({ ...none, eligibleAt: 1000, readyAt: 1000, dispatchedAt: 1300 });
    assert.equal(dispatched.queueWaitMs, 300);
    assert.equal(dispatched.startLatencyMs, null);
  });

  test("call what came before readiness deferral where nobody noted eligibility", () => {
    const waits = waitsOf({ ...none, readyAt: 1800 });
    assert.deepEqual([waits.deferralMs, waits.dependencyWaitMs], [800, 0]);
  });

  test("are never negative, not even with clocks that disagree", () => {
    const time = fc.option(fc.integer({ min: -1e15, max: 1e15 }), { nil: null });
    const times = fc.record({
      queuedAt: fc.integer(),
      eligibleAt: time,
      readyAt: time,
      dispatchedAt: time,
      startedAt: time,
      runMs: fc.option(fc.double({ noNaN: true }), { nil: null }),
    });
    fc.assert(
      fc.property(times, (times) => {
        for (const wait of Object.values(waitsOf(times))) assert.ok(wait === null || wait >= 0);
      }),
    );
  });

  test("add up to the time from queued to started where each phase follows the other", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), (steps) => {
        const [eligibleAt, readyAt, dispatchedAt, startedAt] = steps.map(
          (_, at) => 1000 + steps.slice(0, at + 1).reduce((sum, step) => sum + step, 0),
        ) as [number, number, number, number];
        const waits = waitsOf({ ...none, eligibleAt, readyAt, dispatchedAt, startedAt });
        const { deferralMs, dependencyWaitMs, queueWaitMs, startLatencyMs } = waits;
        const sum = deferralMs! + dependencyWaitMs! + queueWaitMs! + startLatencyMs!;
        assert.equal(sum, startedAt - 1000);
      }),
    );
  });
});

describe("the wait that goes on now", () => {
  const times = { ...none, eligibleAt: 2000, readyAt: 3000, dispatchedAt: 4000, startedAt: 5000 };

  test("is named for the phase and counted from its start", () => {
    assert.deepEqual(currentWait("queued", "run_at", times, 6000), { kind: "deferral", ms: 5000 });
    assert.deepEqual(currentWait("queued", "backoff", times, 6000)?.kind, "deferral");
    assert.deepEqual(currentWait("queued", "dependencies", times, 6000), {
      kind: "dependency_wait",
      ms: 4000,
    });
    assert.deepEqual(currentWait("ready", null, times, 6000), { kind: "queue_wait", ms: 3000 });
    assert.deepEqual(currentWait("dispatched", null, times, 6000)?.ms, 2000);
    assert.deepEqual(currentWait("running", null, times, 6000), { kind: "run", ms: 1000 });
  });

  test("is over with the job, and no less than nothing under a clock that lags", () => {
    assert.equal(currentWait("succeeded", null, times, 6000), null);
    assert.equal(currentWait("dependency_failed", null, times, 6000), null);
    assert.equal(currentWait("running", null, times, 4000)?.ms, 0);
  });
});
