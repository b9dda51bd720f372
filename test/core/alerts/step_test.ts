import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type AlertState,
  KEEP_FIRING_MS,
  LAPSE_MS,
  type Step,
  stepAlert,
} from "../../../src/core/alerts/step.ts";
import type { Truth } from "../../../src/core/alerts/verdict.ts";

const BEAT = 30_000;
const FOR = 5 * 60_000;

/** Looks in order, half a minute apart where nothing else is said. */
function play(truths: readonly Truth[], { forMs = FOR, beatMs = BEAT } = {}) {
  let state: AlertState | null = null;
  const steps: (Step & { now: number; truth: Truth })[] = [];
  for (const [at, truth] of truths.entries()) {
    const now = 1_000_000 + at * beatMs;
    const step = stepAlert(state, { truth, now, forMs });
    steps.push({ ...step, now, truth });
    state = step.after;
  }
  return { state: state as AlertState | null, steps, events: steps.flatMap((s) => s.event ?? []) };
}
const many = (truth: Truth, n: number): Truth[] => Array.from({ length: n }, () => truth);

describe("an alert", () => {
  test("is pending first, and fires once its condition has held long enough", () => {
    const { steps } = play(many("true", 11));
    assert.deepEqual(
      steps.map((step) => step.after?.state),
      [...Array.from({ length: 10 }, () => "pending"), "firing"],
    );
    assert.deepEqual(
      steps.map((step) => step.event).filter((event) => event !== null),
      ["firing"],
    );
  });

  test("that holds too shortly never fires", () => {
    assert.deepEqual(play([...many("true", 10), "false", ...many("true", 10)]).events, []);
  });

  test("goes on firing over short breaks, and resolves once", () => {
    const breaks = Array.from({ length: 5 }, () => [...many("false", 9), "true" as const]).flat();
    const { events } = play([...many("true", 11), ...breaks, ...many("false", 11)]);
    assert.deepEqual(events, ["firing", "resolved"]);
  });

  test("keeps its time over a restart, and begins anew after a hole longer than what it has to hold", () => {
    const before: AlertState = {
      ...{ state: "pending", since: 0, seenAt: 60_000, knownAt: 60_000 },
      ...{ firedAt: null, clearSince: null },
    };
    const soon = stepAlert(before, { truth: "true", now: FOR, forMs: FOR });
    assert.equal(soon.event, "firing");
    const late = stepAlert(before, { truth: "true", now: 60_000 + FOR + 1, forMs: FOR });
    assert.deepEqual([late.event, late.after?.since], [null, 60_000 + FOR + 1]);
  });

  test("of which nothing is known for a week is given up, and not before", () => {
    const { state } = play(many("true", 12));
    const now = state!.knownAt + LAPSE_MS;
    assert.equal(stepAlert(state, { truth: "unknown", now, forMs: FOR }).event, null);
    const last = stepAlert(state, { truth: "unknown", now: now + 1, forMs: FOR });
    assert.deepEqual(last, { after: null, event: "lapsed" });
  });

  test("of a rule that was switched off ends at once", () => {
    const { state } = play(many("true", 12));
    const step = stepAlert(state, { truth: "false", now: state!.seenAt, forMs: FOR, keepMs: 0 });
    assert.equal(step.event, "resolved");
  });
});

const truths = fc.array(fc.constantFrom<Truth>("true", "false", "unknown"), { maxLength: 120 });

describe("whatever is seen", () => {
  test("it fires and ends in turn", () => {
    fc.assert(
      fc.property(truths, (all) => {
        const { events } = play(all);
        for (const [at, event] of events.entries()) {
          assert.equal(event === "firing", at % 2 === 0);
        }
      }),
    );
  });

  test("it never fires before its condition held that long without a break", () => {
    fc.assert(
      fc.property(truths, (all) => {
        const { steps } = play(all);
        for (const [at, step] of steps.entries()) {
          if (step.event !== "firing") continue;
          const within = steps.slice(0, at + 1).filter(({ now }) => now > step.now - FOR);
          assert.ok(within.every(({ truth }) => truth !== "false"));
          assert.equal(step.truth, "true");
        }
      }),
    );
  });

  test("not knowing makes nothing pending, lets nothing fire, and resolves nothing", () => {
    fc.assert(
      fc.property(truths, (all) => {
        let before: AlertState | null = null;
        for (const step of play(all).steps) {
          if (step.truth === "unknown") {
            assert.equal(step.event, null);
            if (before === null) assert.equal(step.after, null);
            if (before?.state === "firing") assert.deepEqual(step.after, before);
          }
          before = step.after;
        }
      }),
    );
  });

  test("it resolves only after its condition was gone for as long as it is kept firing", () => {
    fc.assert(
      fc.property(truths, (all) => {
        const { steps } = play(all);
        for (const [at, step] of steps.entries()) {
          if (step.event !== "resolved") continue;
          const within = steps.slice(0, at).filter(({ now }) => now > step.now - KEEP_FIRING_MS);
          assert.ok(within.every(({ truth }) => truth !== "true"));
        }
      }),
    );
  });

  test("a look that is done twice, as by two servers, changes nothing the second time", () => {
    fc.assert(
      fc.property(truths, (all) => {
        for (const { after, now, truth } of play(all).steps) {
          if (after === null) continue;
          const again = stepAlert(after, { truth, now, forMs: FOR });
          assert.deepEqual(again, { after, event: null });
        }
      }),
    );
  });
});
