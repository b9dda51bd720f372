import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type AttemptCounters,
  type Ending,
  MAX_LOST,
  REJECTIONS_BEFORE_BACKOFF,
  type ReportedOutcome,
  resolveGivenBack,
  resolveLapse,
  resolveRejection,
  resolveReport,
  resolveUnstorable,
} from "../../src/core/job_end.ts";
import { isFinal, type JobState } from "../../src/core/job_state.ts";
import { nextState } from "../../src/core/job_table.ts";

function job(over: Partial<AttemptCounters> = {}): AttemptCounters {
  return {
    failures: 0,
    max_attempts: 3,
    lost: 0,
    rejections: 0,
    cancelRequested: false,
    ...over,
  };
}

const counters = fc.record({
  failures: fc.nat({ max: 5 }),
  max_attempts: fc.integer({ min: 1, max: 6 }),
  lost: fc.nat({ max: MAX_LOST }),
  rejections: fc.nat({ max: 8 }),
  cancelRequested: fc.boolean(),
});
const outcomes: ReportedOutcome[] = ["succeeded", "failed", "timed_out", "cancelled", "released"];
const leased = fc.constantFrom<"dispatched" | "running">("dispatched", "running");

/** Any way in which an attempt can end, with the state that it leads to. */
const anyEnd = fc
  .tuple(
    counters,
    leased,
    fc.constantFrom(...outcomes, "lapse", "rejection", "given back", "unstorable"),
  )
  .map(([before, state, how]) => {
    let end: Ending;
    if (how === "lapse") end = resolveLapse(state, before);
    else if (how === "rejection") end = resolveRejection("too hot", before);
    else if (how === "given back") end = resolveGivenBack(null, before);
    else if (how === "unstorable") end = resolveUnstorable(before);
    else end = resolveReport(how as ReportedOutcome, null, before);
    return { before, state, how, end, after: nextState(state, end.event) };
  });

describe("what a report means for its job", () => {
  test("success ends it", () => {
    const end = resolveReport("succeeded", undefined, job({ failures: 2 }));
    assert.deepEqual(
      [end.event, end.outcome, end.reason, end.failures, end.backoff],
      ["succeed", "succeeded", null, 2, null],
    );
  });

  test("a failure below max_attempts is tried again after a backoff that counts it", () => {
    const end = resolveReport("failed", "exit_code", job({ failures: 1, max_attempts: 3 }));
    assert.deepEqual(
      [end.event, end.outcome, end.reason, end.failures, end.backoff],
      ["fail_retry", "failed", "exit_code", 2, 2],
    );
  });

  test("a payload that does not fit its handler is not tried again", () => {
    const end = resolveReport("failed", "invalid_payload", job({ max_attempts: 3 }));
    assert.deepEqual([end.event, end.failures, end.backoff], ["fail_final", 1, null]);
  });

  test("the last failure is final", () => {
    const end = resolveReport("failed", null, job({ failures: 2, max_attempts: 3 }));
    assert.deepEqual([end.event, end.failures, end.backoff], ["fail_final", 3, null]);
    assert.equal(resolveReport("failed", null, job({ max_attempts: 1 })).event, "fail_final");
  });

  test("a timeout counts as a failure and says that it was one", () => {
    const end = resolveReport("timed_out", undefined, job({ max_attempts: 2 }));
    assert.deepEqual(
      [end.event, end.outcome, end.reason, end.failures],
      ["fail_retry", "timed_out", "timed_out", 1],
    );
  });

  test("what a worker gives back unharmed costs nothing", () => {
    const end = resolveReport("released", "draining", job({ failures: 1, lost: 2 }));
    assert.deepEqual(
      [end.event, end.outcome, end.reason, end.failures, end.lost, end.backoff],
      ["release", "released", "draining", 1, 2, null],
    );
  });

  test("a cancel counts only where one was asked for", () => {
    const asked = resolveReport("cancelled", null, job({ cancelRequested: true }));
    assert.deepEqual([asked.event, asked.outcome, asked.failures], ["cancel", "cancelled", 0]);
    const unasked = resolveReport("cancelled", null, job({ max_attempts: 1 }));
    assert.deepEqual(
      [unasked.event, unasked.outcome, unasked.reason, unasked.failures],
      ["fail_final", "failed", "cancelled_unasked", 1],
    );
  });

  test("success wins over a cancel that came too late, and nothing else does", () => {
    const asked = job({ cancelRequested: true });
    assert.equal(resolveReport("succeeded", null, asked).event, "succeed");
    for (const outcome of ["failed", "timed_out", "released"] as const) {
      const end = resolveReport(outcome, null, asked);
      assert.deepEqual([end.event, end.outcome, end.backoff], ["cancel", outcome, null]);
    }
  });

  test("a report that cannot be stored fails the job at once", () => {
    const end = resolveUnstorable(job({ max_attempts: 10 }));
    assert.deepEqual([end.event, end.reason, end.failures], ["fail_final", "unstorable_report", 1]);
  });
});

describe("what a lapsed lease means for its job", () => {
  test("one that never started is given back and costs nothing", () => {
    const end = resolveLapse("dispatched", job({ lost: MAX_LOST }));
    assert.deepEqual(
      [end.event, end.outcome, end.reason, end.lost, end.failures],
      ["release", "released", "never_started", MAX_LOST, 0],
    );
  });

  test("a running one is ready again three times, and then fails with worker_lost", () => {
    let lost = 0;
    const events = Array.from({ length: 4 }, () => {
      const end = resolveLapse("running", job({ lost, max_attempts: 1 }));
      lost = end.lost;
      assert.deepEqual([end.outcome, end.reason, end.failures], ["lost", "worker_lost", 0]);
      return end.event;
    });
    assert.deepEqual(events, ["lost_ready", "lost_ready", "lost_ready", "lost_final"]);
  });

  test("it ends a job whose cancel was asked, started or not", () => {
    for (const state of ["dispatched", "running"] as const) {
      assert.equal(resolveLapse(state, job({ cancelRequested: true })).event, "cancel");
    }
  });
});

describe("what a rejection means for its job", () => {
  test("it stays ready four times, and from the fifth on it backs off longer and longer", () => {
    let rejections = 0;
    const seen = Array.from({ length: 7 }, () => {
      const end = resolveRejection("no disk", job({ rejections }));
      rejections = end.rejections;
      assert.deepEqual([end.outcome, end.reason, end.failures], ["rejected", "no disk", 0]);
      return [end.event, end.backoff];
    });
    assert.deepEqual(seen, [
      ...Array(REJECTIONS_BEFORE_BACKOFF - 1).fill(["reject", null]),
      ["reject_backoff", 1],
      ["reject_backoff", 2],
      ["reject_backoff", 3],
    ]);
  });
});

describe("what it means that a worker that goes on gives a job back", () => {
  test("it is ready again four times, and from the fifth on it is braked as if rejected", () => {
    let rejections = 0;
    const seen = Array.from({ length: 6 }, () => {
      const end = resolveGivenBack("not now", job({ rejections }));
      rejections = end.rejections;
      assert.deepEqual([end.outcome, end.reason, end.failures], ["released", "not now", 0]);
      return [end.event, end.backoff];
    });
    assert.deepEqual(seen, [
      ...Array(REJECTIONS_BEFORE_BACKOFF - 1).fill(["release", null]),
      ["reject_backoff", 1],
      ["reject_backoff", 2],
    ]);
  });

  test("the count never grows out of its column", () => {
    assert.ok(resolveGivenBack(null, job({ rejections: 32_766 })).rejections < 32_767);
  });

  test("once a cancel was asked it is the cancel", () => {
    const end = resolveGivenBack(null, job({ rejections: 9, cancelRequested: true }));
    assert.deepEqual([end.event, end.backoff], ["cancel", null]);
  });
});

describe("what an end means for a job whose slot was to be freed", () => {
  const freed = job({ cancelRequested: true, requeueRequested: true, max_attempts: 1, lost: 3 });

  test("it is ready at once and nothing is counted, whatever ended the attempt", () => {
    const reported = ["failed", "timed_out", "cancelled", "released"] as const;
    const ends = [
      ...reported.map((outcome) => [outcome, resolveReport(outcome, "exit_code", freed)] as const),
      ["released", resolveLapse("dispatched", freed)],
      ["lost", resolveLapse("running", freed)],
      ["rejected", resolveRejection("too hot", freed)],
      ["released", resolveGivenBack(null, freed)],
    ] as const;
    for (const [outcome, end] of ends) {
      assert.deepEqual(end, {
        ...{ event: "release", outcome, reason: "freed", backoff: null },
        ...{ failures: 0, lost: 3, rejections: 0 },
      });
    }
  });

  test("success is success", () => {
    assert.equal(resolveReport("succeeded", null, freed).event, "succeed");
  });
});

describe("every end of an attempt", () => {
  test("is an event that the statechart understands where the attempt stood", () => {
    fc.assert(fc.property(anyEnd, ({ after }) => assert.ok(after !== undefined)));
  });

  test("names a backoff exactly where the job is queued again", () => {
    fc.assert(
      fc.property(anyEnd, ({ end, after }) => {
        assert.equal(end.backoff !== null, after === "queued");
        if (end.backoff !== null) assert.ok(end.backoff >= 1);
      }),
    );
  });

  test("never takes a counter back, and raises at most one of them, by one", () => {
    fc.assert(
      fc.property(anyEnd, ({ before, end }) => {
        const raised = [
          end.failures - before.failures,
          end.lost - before.lost,
          end.rejections - before.rejections,
        ];
        assert.ok(raised.every((by) => by === 0 || by === 1));
        assert.ok(raised.filter((by) => by === 1).length <= 1);
      }),
    );
  });

  test("starts no job again whose cancel was asked", () => {
    fc.assert(
      fc.property(anyEnd, ({ before, after }) => {
        if (before.cancelRequested) assert.ok(isFinal(after as JobState));
      }),
    );
  });

  test("leaves nobody an endless loop of failures or losses", () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.constantFrom("failed", "timed_out", "cancelled", "lapse")),
        fc.integer({ min: 1, max: 20 }),
        (ways, max_attempts) => {
          let at = job({ max_attempts });
          let dispatches = 0;
          for (const way of ways) {
            dispatches += 1;
            const end =
              way === "lapse"
                ? resolveLapse("running", at)
                : resolveReport(way as ReportedOutcome, null, at);
            at = { ...at, failures: end.failures, lost: end.lost };
            if (isFinal(nextState("running", end.event)!)) break;
          }
          assert.ok(dispatches <= max_attempts + MAX_LOST);
        },
      ),
    );
  });
});
