import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ScoringJob, ScoringWorker } from "../../../src/core/scoring/context.ts";
import { RULES, scoreInto } from "../../../src/core/scoring/score.ts";
import { handicapSeconds } from "../../../src/core/scoring/starvation.ts";
import {
  aHistory,
  aJob,
  anInstance,
  anyInstance,
  anyJob,
  anyWorker,
  aWorker,
  NOW,
} from "./samples.ts";

const terms = new Float32Array(RULES.length);

describe("no job starves:", () => {
  test("only waiting has no bound, and every penalty has one", () => {
    assert.deepEqual(
      RULES.filter(({ min, max }) => min === null || max === null).map(({ name }) => name),
      ["wait_and_priority"],
    );
  });

  test("once it is ahead by the handicap, a job beats any other on any worker", () => {
    const pair = fc.tuple(anyJob, anyWorker);
    fc.assert(
      fc.property(pair, pair, anyInstance, (one, two, instance) => {
        const [old, itsWorker] = one;
        const [fresh, theirWorker] = two;
        const rank = fresh.rank - handicapSeconds(instance) - 1;
        const its = scoreInto(terms, { ...old, rank }, itsWorker, instance, NOW);
        assert.ok(its > scoreInto(terms, fresh, theirWorker, instance, NOW));
      }),
      { numRuns: 1000 },
    );
  });

  test("the handicap is hours where waits are short, and else a few times the usual wait", () => {
    const waits = (waitSeconds: number | null) =>
      anInstance({ averages: { ...anInstance().averages, waitSeconds } });
    assert.ok(handicapSeconds(waits(null)) < 1.5 * 3600);
    assert.ok(handicapSeconds(waits(240)) < 6 * 3600);
    for (const wait of [3600, 6 * 3600, 86_400]) {
      assert.ok(handicapSeconds(waits(wait)) < 14 * wait, `${handicapSeconds(waits(wait)) / wait}`);
    }
  });

  test("the worst of jobs is served in a flood of the best, and no later than that", () => {
    const worst = aJob({ org: 1, history: aHistory({ ramP95Mb: 1e6, oomRate: 1 }) });
    const worker = aWorker({
      cpuPct: 100,
      ramTotalMb: 1000,
      ramFreeMb: 50,
      recentNames: new Set([2]),
    });
    const instance = anInstance({
      contended: true,
      activeOrgs: 2,
      slotsUsed: 1,
      usedByOrg: new Map([[1, 1]]),
    });
    let served = 0;
    for (let second = 0; served === 0; second += 60) {
      const now = NOW + second * 1000;
      const best = aJob({
        org: 2,
        name: 2,
        rank: now / 1000 - 6000,
        dependents: 1e6,
        inputWorkers: [1],
      });
      const score = (job: ScoringJob, on: ScoringWorker) =>
        scoreInto(terms, job, on, instance, now);
      if (score(worst, worker) > score(best, aWorker({ ...worker, cpuPct: 0, ramFreeMb: 900 }))) {
        served = second;
      }
    }
    assert.ok(served > 6000);
    assert.ok(served <= 6000 + handicapSeconds(instance) + 60, `${served}`);
  });

  test("a small organization is not kept behind the backlog of a large one", () => {
    const wait = 4 * 3600;
    const instance = anInstance({
      contended: true,
      activeOrgs: 2,
      slotsUsed: 100,
      usedByOrg: new Map([[1, 100]]),
      averages: { ...anInstance().averages, waitSeconds: wait },
    });
    const backlog = aJob({ org: 1, rank: NOW / 1000 - 2 * wait });
    const small = aJob({ org: 2 });
    const at = (job: ScoringJob) => scoreInto(terms, job, aWorker(), instance, NOW);
    assert.ok(at(small) > at(backlog));
  });
});
