import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { dueTimes } from "../../../src/core/schedules/due_times.ts";
import { LATE_MAX_MS, nextDue, nextStep, type Standing } from "../../../src/core/schedules/step.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5);
const standing = (more: Partial<Standing> = {}): Standing => ({
  ...{ id: "s", cron: "*/10 * * * *", timeZone: "UTC", settledUntil: START, resumedAt: null },
  ...{ catchUp: "last", catchUpMax: 3, jitterSeconds: 0, ...more },
});

/** All steps that are there to be done at one moment, and where they leave the schedule. */
function steps(first: Standing, now: number) {
  const fired: number[] = [];
  const skipped: { through: number; count: number }[] = [];
  let at = first;
  for (;;) {
    const step = nextStep(at, now);
    if (step.kind === "wait" || step.kind === "never") return { fired, skipped, step, at };
    const settledUntil = step.kind === "fire" ? step.due.nominal : step.through;
    assert.ok(settledUntil > at.settledUntil, "each step goes on");
    if (step.kind === "fire") fired.push(settledUntil);
    else skipped.push({ through: step.through, count: step.count });
    at = { ...at, settledUntil };
  }
}

describe("a schedule", () => {
  test("waits for its next due time, and fires it then", () => {
    const first = START + 10 * MINUTE;
    const due = { nominal: first, at: first };
    assert.deepEqual(nextStep(standing(), first - 1), { kind: "wait", due });
    assert.deepEqual(nextStep(standing(), first), { kind: "fire", due, isMissed: false });
  });

  test("that comes a little late still fires, whatever its policy", () => {
    for (const catchUp of ["none", "last", "all"] as const) {
      const step = nextStep(standing({ catchUp }), START + 10 * MINUTE + LATE_MAX_MS - 1);
      assert.deepEqual([step.kind, "isMissed" in step && step.isMissed], ["fire", false], catchUp);
    }
  });

  test("is not missed while whoever came to look is busy with others", () => {
    const first = START + 10 * MINUTE;
    const step = nextStep(standing({ catchUp: "none" }), first + 5 * MINUTE, first + 1_000);
    assert.deepEqual([step.kind, "isMissed" in step && step.isMissed], ["fire", false]);
  });

  test("that has missed due times fires none of them, the last, or the newest few", () => {
    const now = START + 65 * MINUTE;
    const at = (n: number) => START + n * 10 * MINUTE;
    const none = steps(standing({ catchUp: "none" }), now);
    assert.deepEqual([none.fired, none.skipped], [[], [{ through: at(6), count: 6 }]]);
    const last = steps(standing({ catchUp: "last" }), now);
    assert.deepEqual([last.fired, last.skipped], [[at(6)], [{ through: at(5), count: 5 }]]);
    const all = steps(standing({ catchUp: "all" }), now);
    assert.deepEqual(all.fired, [at(4), at(5), at(6)]);
    assert.deepEqual(all.skipped, [{ through: at(3), count: 3 }]);
    const enough = steps(standing({ catchUp: "all", catchUpMax: 6 }), now);
    assert.deepEqual([enough.fired.length, enough.skipped], [6, []]);
  });

  test("that was paused has missed what was due meanwhile, however short that was", () => {
    const first = START + 10 * MINUTE;
    const paused = standing({ catchUp: "none", resumedAt: first + 5_000 });
    const { fired, skipped } = steps(paused, first + 6_000);
    assert.deepEqual([fired, skipped], [[], [{ through: first, count: 1 }]]);
    assert.deepEqual(steps({ ...paused, resumedAt: first - 1 }, first + 6_000).fired, [first]);
  });

  test("whose days never come again says so", () => {
    const none = { after: 0, cron: "0 0 31 2 *" };
    assert.equal(nextStep(standing(none), START).kind, "never");
  });

  test("with jitter fires later, always by the same, and before the time after", () => {
    const jittered = standing({ jitterSeconds: 3_600 });
    const delays = new Set<number>();
    for (let n = 0; n < 50; n++) {
      const due = nextDue(jittered, START + n * 10 * MINUTE)!;
      assert.deepEqual(nextDue(jittered, START + n * 10 * MINUTE), due);
      assert.ok(due.at >= due.nominal && due.at < due.nominal + 10 * MINUTE);
      delays.add(due.at - due.nominal);
    }
    assert.ok(delays.size > 45, "they differ");
    const other = nextDue({ ...jittered, id: "t" }, START)!;
    assert.notEqual(other.at, nextDue(jittered, START)!.at);
  });

  test("deals with every due time once, in order, at whichever moments it is looked at", () => {
    const moment = fc.integer({ min: 1, max: 40 }).map((n) => n * 7 * MINUTE);
    const policy = fc.record({
      catchUp: fc.constantFrom("none" as const, "last" as const, "all" as const),
      catchUpMax: fc.integer({ min: 1, max: 5 }),
      jitterSeconds: fc.constantFrom(0, 30, 900),
      cron: fc.constantFrom("*/10 * * * *", "0 */3 * * *", "5,35 1-9 * * *"),
      timeZone: fc.constantFrom("UTC", "Europe/Berlin", "Australia/Lord_Howe"),
    });
    fc.assert(
      fc.property(policy, fc.array(moment, { minLength: 1, maxLength: 12 }), (own, gaps) => {
        let at = standing(own);
        let now = START;
        const dealt: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const done = steps(at, now);
          assert.ok(own.catchUp !== "none" || done.fired.every((t) => now - t < 20 * MINUTE));
          const most = own.catchUp === "last" ? 1 : own.catchUpMax;
          const late = done.fired.filter((t) => now - t > 16 * MINUTE);
          assert.ok(late.length <= most, `${late.length} of ${most}`);
          const skips = done.skipped.flatMap(({ through, count }) =>
            dueTimes(at).upTo(through, count).reverse(),
          );
          dealt.push(...[...skips, ...done.fired].sort((a, b) => a - b));
          at = done.at;
        }
        const all: number[] = [];
        const times = dueTimes(at);
        for (let t = times.after(START); t !== null && t <= at.settledUntil; t = times.after(t)) {
          all.push(t);
        }
        assert.deepEqual(dealt, all);
      }),
      { numRuns: 60 },
    );
  });
});
