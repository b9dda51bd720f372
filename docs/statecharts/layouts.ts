/** Where the pictures put their states. What is drawn between them comes from the machines. */
import type { Layout } from "./draw.ts";

export const JOB_LAYOUT: Layout = {
  title: "Statechart of a job",
  width: 1120,
  height: 580,
  states: {
    created: [90, 270],
    queued: [300, 270],
    ready: [520, 270],
    dispatched: [800, 270],
    running: [1010, 270],
    dependency_failed: [300, 510],
    cancelled: [500, 510],
    failed: [700, 510],
    succeeded: [1000, 510],
  },
  groups: {
    leased: {
      states: ["dispatched", "running"],
      box: { x: 905, y: 275, width: 390, height: 100 },
    },
    "ended badly": {
      states: ["failed", "cancelled", "dependency_failed"],
      box: { x: 500, y: 517, width: 580, height: 95 },
    },
  },
  bends: {
    "leased ready": [660, 60],
    "leased queued": [590, -60],
    "ended badly queued": [60, 400],
  },
};

export const WORKER_LAYOUT: Layout = {
  title: "Statechart of a worker connection",
  width: 900,
  height: 420,
  states: {
    joining: [110, 120],
    ready: [420, 120],
    draining: [730, 120],
    lost: [420, 340],
  },
  groups: {},
  bends: { "joining draining": [420, -30] },
};
