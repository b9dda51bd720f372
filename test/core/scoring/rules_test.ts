import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Rule, ScoringInstance } from "../../../src/core/scoring/context.ts";
import { cpuHeadroom } from "../../../src/core/scoring/cpu_headroom.ts";
import { dependents } from "../../../src/core/scoring/dependents.ts";
import { diskAffinity } from "../../../src/core/scoring/disk_affinity.ts";
import { fairShare } from "../../../src/core/scoring/fair_share.ts";
import { locality } from "../../../src/core/scoring/locality.ts";
import { networkAffinity } from "../../../src/core/scoring/network_affinity.ts";
import { resourceFit } from "../../../src/core/scoring/resource_fit.ts";
import { saturation } from "../../../src/core/scoring/saturation.ts";
import { spread } from "../../../src/core/scoring/spread.ts";
import { waitAndPriority } from "../../../src/core/scoring/wait_and_priority.ts";
import { aHistory, aJob, anInstance, aWorker, NOW } from "./samples.ts";

function points(
  rule: Rule,
  job: Parameters<typeof aJob>[0] = {},
  worker: Parameters<typeof aWorker>[0] = {},
  instance: Partial<ScoringInstance> = {},
): number {
  const exact = rule.score(aJob(job), aWorker(worker), anInstance(instance), NOW);
  // Shares are sums of fractions; what lies beyond nine decimals is theirs.
  return Math.round(exact * 1e9) / 1e9;
}

const averages = (over: Partial<ScoringInstance["averages"]>) => ({
  averages: { ...anInstance().averages, ...over },
});

describe("wait_and_priority", () => {
  test("gives a point for each second in line, where nothing is known about waits", () => {
    assert.equal(points(waitAndPriority, { rank: NOW / 1000 - 90 }), 90);
  });

  test("gives 60 points for the wait that is usual here", () => {
    const rank = NOW / 1000 - 120;
    assert.equal(points(waitAndPriority, { rank }, {}, averages({ waitSeconds: 120 })), 60);
  });

  test("keeps its pace within bounds on an idle and on a crowded instance", () => {
    const rank = NOW / 1000 - 60;
    assert.equal(points(waitAndPriority, { rank }, {}, averages({ waitSeconds: 0 })), 240);
    assert.equal(points(waitAndPriority, { rank }, {}, averages({ waitSeconds: 86_400 })), 15);
  });

  test("falls below nothing for a job of negative priority that has just become ready", () => {
    assert.equal(points(waitAndPriority, { rank: NOW / 1000 + 600 }), -600);
  });

  test("has no cap: after a week it stands above every penalty there is", () => {
    assert.equal(points(waitAndPriority, { rank: NOW / 1000 - 604_800 }), 604_800);
  });
});

describe("resource_fit", () => {
  const history = aHistory({ ramP95Mb: 3000 });

  test("says nothing where the job fits, or where either side is unknown", () => {
    assert.equal(points(resourceFit, { history }, { ramFreeMb: 3000 }), 0);
    assert.equal(points(resourceFit, { history }, {}), 0);
    assert.equal(points(resourceFit, {}, { ramFreeMb: 1 }), 0);
    assert.equal(points(resourceFit, { history: aHistory() }, { ramFreeMb: 1 }), 0);
  });

  test("costs 400 for each time that the free memory is missing again, at most twice", () => {
    assert.equal(points(resourceFit, { history }, { ramFreeMb: 2000 }), -200);
    assert.equal(points(resourceFit, { history }, { ramFreeMb: 1500 }), -400);
    assert.equal(points(resourceFit, { history }, { ramFreeMb: 100 }), -800);
    assert.equal(points(resourceFit, { history }, { ramFreeMb: 0 }), -800);
  });

  test("goes by what the job reserves where nothing was measured", () => {
    assert.equal(points(resourceFit, { ramMb: 3000 }, { ramFreeMb: 1500 }), -400);
    assert.equal(points(resourceFit, { ramMb: 9000, history }, { ramFreeMb: 3000 }), 0);
  });

  test("costs more for names that the kernel has killed before", () => {
    const killed = aHistory({ ramP95Mb: 3000, oomRate: 0.5 });
    assert.equal(points(resourceFit, { history: killed }, { ramFreeMb: 1500 }), -600);
  });

  test("takes what is free or what is not reserved, whichever is less, never both off", () => {
    const worker = { ramTotalMb: 8000, ramReservedMb: 4000, ramFreeMb: 3500 };
    assert.equal(points(resourceFit, { history }, worker), 0);
    assert.equal(points(resourceFit, { history }, { ...worker, ramReservedMb: 6500 }), -400);
    assert.equal(points(resourceFit, { history }, { ramTotalMb: 1000, ramReservedMb: 9000 }), -800);
  });
});

describe("saturation", () => {
  test("costs 1000 from 80 % of the processor on, or from 10 % of free memory down", () => {
    assert.equal(points(saturation, {}, { cpuPct: 79.9 }), 0);
    assert.equal(points(saturation, {}, { cpuPct: 80 }), -1000);
    assert.equal(points(saturation, {}, { ramTotalMb: 1000, ramFreeMb: 101 }), 0);
    assert.equal(points(saturation, {}, { ramTotalMb: 1000, ramFreeMb: 100 }), -1000);
    assert.equal(points(saturation, {}, { cpuPct: 99, ramTotalMb: 1000, ramFreeMb: 0 }), -1000);
  });

  test("costs another 1000 where the name would not fit with a tenth to spare", () => {
    const history = aHistory({ ramP95Mb: 1000 });
    assert.equal(points(saturation, { history }, { ramFreeMb: 1101 }), 0);
    assert.equal(points(saturation, { history }, { ramFreeMb: 1099 }), -1000);
    assert.equal(points(saturation, { history }, { ramFreeMb: 1099, cpuPct: 90 }), -2000);
  });
});

describe("locality", () => {
  test("rewards the worker that ran the inputs, and one that ran the name", () => {
    assert.equal(points(locality, { inputWorkers: [3, 1] }), 100);
    assert.equal(points(locality, { name: 7 }, { recentNames: new Set([7]) }), 60);
    const both = { recentNames: new Set([7]) };
    assert.equal(points(locality, { name: 7, inputWorkers: [1] }, both), 160);
    assert.equal(points(locality, { inputWorkers: [2] }, { recentNames: new Set([9]) }), 0);
  });
});

describe("dependents", () => {
  test("gives half its points for a path of ten, and never all of them", () => {
    assert.equal(points(dependents), 0);
    assert.equal(points(dependents, { dependents: 10 }), 25);
    assert.equal(points(dependents, { dependents: 40 }), 40);
    assert.ok(points(dependents, { dependents: 1e6 }) < 50);
  });
});

describe("fair_share", () => {
  const crowded = { contended: true, activeOrgs: 2, slotsUsed: 10 };
  const used = (mine: number) => ({ ...crowded, usedByOrg: new Map([[1, mine]]) });

  test("holds back who uses more than an equal share, in proportion", () => {
    assert.equal(points(fairShare, {}, {}, used(5)), 0);
    assert.equal(points(fairShare, {}, {}, used(3)), 0);
    assert.equal(points(fairShare, {}, {}, used(8)), -300);
    assert.equal(points(fairShare, {}, {}, used(10)), -500);
  });

  test("measures against the equal share of all organizations with work", () => {
    const four = { ...used(10), activeOrgs: 4, slotsUsed: 40 };
    assert.equal(points(fairShare, {}, {}, four), 0);
    assert.equal(points(fairShare, {}, {}, { ...four, slotsUsed: 16 }), -250);
  });

  test("does nothing without contention, for the only one with work, or while nothing runs", () => {
    assert.equal(points(fairShare, {}, {}, { ...used(10), contended: false }), 0);
    assert.equal(points(fairShare, {}, {}, { ...used(10), activeOrgs: 1 }), 0);
    assert.equal(points(fairShare, {}, {}, { ...used(0), slotsUsed: 0 }), 0);
  });

  test("grows with a backlog that the pace of waiting does not follow, up to a day of it", () => {
    const waits = (waitSeconds: number) => ({ ...used(10), ...averages({ waitSeconds }) });
    assert.equal(points(fairShare, {}, {}, waits(240)), -500);
    assert.equal(points(fairShare, {}, {}, waits(3600)), -7500);
    assert.equal(points(fairShare, {}, {}, waits(86_400 * 30)), -180_000);
  });
});

describe("disk_affinity", () => {
  const MIB = 1024 * 1024;

  test("rewards fast disks for names that use the disk more than most", () => {
    const history = aHistory({ diskBytes: 100 * MIB });
    assert.equal(points(diskAffinity, { history }, { diskMbps: 250 }), 30);
    assert.equal(points(diskAffinity, { history }, { diskMbps: 2000 }), 60);
  });

  test("says nothing of others, nor of what is unknown", () => {
    const light = aHistory({ diskBytes: 100 * MIB - 1 });
    assert.equal(points(diskAffinity, { history: light }, { diskMbps: 250 }), 0);
    assert.equal(points(diskAffinity, { history: aHistory() }, { diskMbps: 250 }), 0);
    assert.equal(points(diskAffinity, { history: aHistory({ diskBytes: 1e12 }) }), 0);
    const mean = averages({ diskBytes: 1e12 });
    const heavy = aHistory({ diskBytes: 1e11 });
    assert.equal(points(diskAffinity, { history: heavy }, { diskMbps: 250 }, mean), 0);
  });
});

describe("network_affinity", () => {
  test("rewards fast links for names that use the network more than most", () => {
    const history = aHistory({ networkMbps: 100 });
    assert.equal(points(networkAffinity, { history }, { networkMbps: 50 }), 40);
    assert.equal(points(networkAffinity, { history }, { networkMbps: 1000 }), 80);
    const mean = averages({ networkMbps: 10 });
    const some = aHistory({ networkMbps: 20 });
    assert.equal(points(networkAffinity, { history: some }, { networkMbps: 5 }, mean), 40);
  });

  test("says nothing of others, nor of what is unknown", () => {
    const some = aHistory({ networkMbps: 99 });
    assert.equal(points(networkAffinity, { history: some }, { networkMbps: 1000 }), 0);
    assert.equal(points(networkAffinity, { history: aHistory() }, { networkMbps: 1000 }), 0);
    assert.equal(points(networkAffinity, { history: aHistory({ networkMbps: 500 }) }), 0);
  });
});

describe("cpu_headroom", () => {
  test("sends names that compute much to idle processors", () => {
    const history = aHistory({ cpuMs: 60_001 });
    assert.equal(points(cpuHeadroom, { history }, { cpuPct: 0 }), 50);
    assert.equal(points(cpuHeadroom, { history }, { cpuPct: 60 }), 20);
    assert.equal(points(cpuHeadroom, { history }), 0);
    assert.equal(points(cpuHeadroom, { history: aHistory({ cpuMs: 59_000 }) }, { cpuPct: 0 }), 0);
  });
});

describe("spread", () => {
  test("rewards free slots in proportion", () => {
    assert.equal(points(spread, {}, { slots: 4, used: 0 }), 40);
    assert.equal(points(spread, {}, { slots: 4, used: 3 }), 10);
    assert.equal(points(spread, {}, { slots: 4, used: 5 }), 0);
    assert.equal(points(spread, {}, { slots: 0, used: 0 }), 0);
  });
});
