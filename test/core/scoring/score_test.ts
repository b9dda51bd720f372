import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readyRank } from "../../../src/core/rank.ts";
import { RULES, RULES_VERSION, scoreInto } from "../../../src/core/scoring/score.ts";
import * as weights from "../../../src/core/scoring/weights.ts";
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

describe("the score of a pair", () => {
  test("moves alike for all jobs of an organization as a worker's slots fill up", () => {
    const both = fc.tuple(anyJob, anyJob);
    fc.assert(
      fc.property(both, anyWorker, anyInstance, fc.nat({ max: 1000 }), (jobs, was, instance, n) => {
        const org = jobs[0].org;
        const fuller = { ...was, used: was.used + n };
        const usedByOrg = new Map(instance.usedByOrg).set(org, n);
        const moved = jobs.map((job) => {
          const own = { ...job, org };
          const before = scoreInto(terms, own, was, instance, NOW);
          return scoreInto(terms, own, fuller, { ...instance, usedByOrg }, NOW) - before;
        });
        assert.ok(Math.abs(moved[0]! - moved[1]!) < 1e-3);
      }),
    );
  });

  test("is the sum of the terms, one per rule, and always a number", () => {
    fc.assert(
      fc.property(anyJob, anyWorker, anyInstance, (job, worker, instance) => {
        const total = scoreInto(terms, job, worker, instance, NOW);
        assert.ok(Number.isFinite(total));
        let sum = 0;
        RULES.forEach((rule, at) => {
          const points = rule.score(job, worker, instance, NOW);
          sum += points;
          assert.equal(terms[at], Math.fround(points), rule.name);
        });
        assert.equal(total, sum);
      }),
      { numRuns: 500 },
    );
  });

  test("keeps each rule within the bounds that it states", () => {
    fc.assert(
      fc.property(anyJob, anyWorker, anyInstance, (job, worker, instance) => {
        for (const rule of RULES) {
          const points = rule.score(job, worker, instance, NOW);
          assert.ok(rule.min === null || points >= rule.min, `${rule.name}: ${points}`);
          assert.ok(rule.max === null || points <= rule.max, `${rule.name}: ${points}`);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("leaves alone what it looks at", () => {
    fc.assert(
      fc.property(anyJob, anyWorker, anyInstance, (job, worker, instance) => {
        const before = JSON.stringify([job, worker, instance]);
        scoreInto(terms, Object.freeze(job), Object.freeze(worker), Object.freeze(instance), NOW);
        assert.equal(JSON.stringify([job, worker, instance]), before);
      }),
    );
  });

  test("is nothing at all for a fresh job of which nothing is known on a full worker", () => {
    assert.equal(scoreInto(terms, aJob(), aWorker(), anInstance(), NOW), 0);
    assert.deepEqual(
      [...terms],
      RULES.map(() => 0),
    );
  });

  test("never turns round two jobs that differ only in their place in the line", () => {
    const rank = fc.double({ min: NOW / 1000 - 1e6, max: NOW / 1000 + 6000, noNaN: true });
    fc.assert(
      fc.property(anyJob, rank, rank, anyWorker, anyInstance, (job, one, two, worker, instance) => {
        if (Math.abs(one - two) < 1e-3) return;
        const [first, second] = [one, two].map((rank) =>
          scoreInto(terms, { ...job, rank }, worker, instance, NOW),
        );
        assert.equal(one < two, first! > second!);
      }),
    );
  });

  test("never changes its mind about such two as time goes by", () => {
    const later = fc.integer({ min: 0, max: 1e9 });
    fc.assert(
      fc.property(anyWorker, anyInstance, later, (worker, instance, ms) => {
        const old = aJob({ rank: readyRank(NOW - 61_000, 0) });
        const urgent = aJob({ rank: readyRank(NOW, 1) });
        const at = (job: typeof old) => scoreInto(terms, job, worker, instance, NOW + ms);
        assert.ok(at(old) > at(urgent));
      }),
    );
  });
});

describe("the rules", () => {
  test("have names of their own, a help text and a formula for a person", () => {
    assert.equal(new Set(RULES.map(({ name }) => name)).size, RULES.length);
    for (const rule of RULES) {
      assert.match(rule.name, /^[a-z][a-z_]*$/);
      assert.match(rule.help, /^[A-Z].{30,}\.$/s, rule.name);
      assert.ok(rule.formula.length > 10, rule.name);
      assert.ok(rule.weight > 0, rule.name);
    }
  });

  test("stand in the order in which terms of version 1 are stored", () => {
    assert.equal(RULES_VERSION, 1);
    assert.deepEqual(
      RULES.map(({ name }) => name),
      [
        "wait_and_priority",
        "resource_fit",
        "saturation",
        "locality",
        "dependents",
        "fair_share",
        "disk_affinity",
        "network_affinity",
        "cpu_headroom",
        "spread",
      ],
    );
  });

  test("weigh as argued: trouble over fairness over comfort, priority over comfort", () => {
    const comforts = RULES.filter(({ max, weight }) => max !== null && max > 0 && weight > 0);
    const together = comforts.reduce((sum, { max }) => sum + max!, 0);
    assert.ok(together < weights.SATURATION);
    assert.ok(together < weights.FAIR_SHARE);
    assert.ok(together < 10 * 60 * (weights.WAIT_POINTS / weights.USUAL_WAIT_SECONDS));
    assert.ok(weights.SATURATION > weights.FAIR_SHARE);
    assert.ok(weights.FAIR_SHARE > weights.RESOURCE_FIT);
  });

  test("prefer the idle worker that knows the job to the busy one that does not", () => {
    const history = aHistory({ ramP95Mb: 500, diskBytes: 1e9, cpuMs: 1e6, networkMbps: 500 });
    const job = aJob({ history, inputWorkers: [1] });
    const good = aWorker({ used: 0, ramFreeMb: 4000, cpuPct: 5, diskMbps: 400, networkMbps: 900 });
    const bad = aWorker({ id: 2, used: 3, ramFreeMb: 400, cpuPct: 95, diskMbps: 20 });
    const at = (worker: typeof good) => scoreInto(terms, job, worker, anInstance(), NOW);
    assert.ok(at(good) > at(bad) + 1000);
  });
});
