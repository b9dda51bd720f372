/** Contexts to score with: plain ones to vary, and random ones with every figure known or not. */
import fc from "fast-check";
import type {
  NameHistory,
  ScoringInstance,
  ScoringJob,
  ScoringWorker,
} from "../../../src/core/scoring/context.ts";

/** 2026-08-01T00:00:00Z */
export const NOW = Date.UTC(2026, 7, 1);

export function aHistory(over: Partial<NameHistory> = {}): NameHistory {
  return {
    samples: 50,
    ramP95Mb: null,
    ramMaxMb: null,
    cpuMs: null,
    diskBytes: null,
    networkMbps: null,
    runMs: null,
    ...over,
  };
}

/** Ready this very moment, with nothing known about it. */
export function aJob(over: Partial<ScoringJob> = {}): ScoringJob {
  return {
    id: "job",
    org: 1,
    queue: 1,
    name: 1,
    shape: 1,
    rank: NOW / 1000,
    readyAt: NOW,
    priority: 0,
    dependents: 0,
    inputWorkers: [],
    history: null,
    ...over,
  };
}

/** Full, so that even `spread` has nothing to say, and otherwise unknown. */
export function aWorker(over: Partial<ScoringWorker> = {}): ScoringWorker {
  return {
    id: 1,
    org: null,
    slots: 4,
    used: 4,
    ramTotalMb: null,
    ramFreeMb: null,
    ramReservedMb: 0,
    cpus: null,
    cpusReserved: 0,
    cpuPct: null,
    diskMbps: null,
    networkMbps: null,
    recentNames: new Set(),
    ...over,
  };
}

export function anInstance(over: Partial<ScoringInstance> = {}): ScoringInstance {
  return {
    workers: 2,
    idleWorkers: 0,
    pending: 10,
    active: 8,
    slotsUsed: 8,
    slotsOffered: 8,
    contended: false,
    usedByOrg: new Map(),
    activeOrgs: 1,
    averages: {
      waitSeconds: null,
      ramMb: null,
      cpuMs: null,
      diskBytes: null,
      networkMbps: null,
    },
    ...over,
  };
}

const maybe = (max: number) => fc.option(fc.double({ min: 0, max, noNaN: true }), { nil: null });
const share = fc.double({ min: 0, max: 1, noNaN: true });

const history: fc.Arbitrary<NameHistory> = fc.record({
  samples: fc.nat(),
  ramP95Mb: maybe(1e6),
  ramMaxMb: maybe(1e6),
  cpuMs: maybe(1e9),
  diskBytes: maybe(1e13),
  networkMbps: maybe(1e5),
  runMs: maybe(1e9),
  oomRate: fc.option(share, { nil: null }),
});

export const anyJob: fc.Arbitrary<ScoringJob> = fc
  .record({
    org: fc.integer({ min: 1, max: 4 }),
    name: fc.integer({ min: 1, max: 4 }),
    priority: fc.integer({ min: -100, max: 100 }),
    waited: fc.integer({ min: 0, max: 1e9 }),
    dependents: fc.double({ min: 0, max: 1e6, noNaN: true }),
    inputWorkers: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 8 }),
    history: fc.option(history, { nil: null }),
  })
  .map(({ waited, ...job }) => ({
    ...job,
    id: "job",
    queue: 1,
    shape: 1,
    readyAt: NOW - waited,
    rank: (NOW - waited) / 1000 - job.priority * 60,
  }));

export const anyWorker: fc.Arbitrary<ScoringWorker> = fc.record({
  id: fc.integer({ min: 1, max: 4 }),
  org: fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }),
  slots: fc.nat({ max: 1000 }),
  used: fc.nat({ max: 1000 }),
  ramTotalMb: maybe(1e6),
  ramFreeMb: maybe(1e6),
  ramReservedMb: fc.double({ min: 0, max: 1e6, noNaN: true }),
  cpus: maybe(1024),
  cpusReserved: fc.double({ min: 0, max: 1024, noNaN: true }),
  cpuPct: maybe(100),
  diskMbps: maybe(1e5),
  networkMbps: maybe(1e5),
  recentNames: fc.array(fc.integer({ min: 1, max: 4 })).map((names) => new Set(names)),
});

export const anyInstance: fc.Arbitrary<ScoringInstance> = fc.record({
  workers: fc.nat({ max: 100 }),
  idleWorkers: fc.nat({ max: 100 }),
  pending: fc.nat(),
  active: fc.nat(),
  slotsUsed: fc.nat({ max: 1000 }),
  slotsOffered: fc.nat({ max: 1000 }),
  contended: fc.boolean(),
  usedByOrg: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat({ max: 1000 })))
    .map((used) => new Map(used)),
  activeOrgs: fc.nat({ max: 10 }),
  averages: fc.record({
    waitSeconds: maybe(1e7),
    ramMb: maybe(1e6),
    cpuMs: maybe(1e9),
    diskBytes: maybe(1e13),
    networkMbps: maybe(1e5),
  }),
});
