/**
 * Every metric that rollups hold: what it is called, what it counts, and for which groups it is kept.
 * Ids stand in the database and are never given to another metric; keys are public (contract.md).
 */
import { RULES } from "../scoring/score.ts";

/** What a series may be narrowed to. */
export const DIMENSIONS = ["org", "queue", "name", "worker"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Kept sets of dimensions: any other pair would have to be multiplied out, and is refused. */
export const GROUPINGS = ["", "org", "org,queue", "org,name", "worker"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Stands for an organization where workers are counted that all of them share. */
export const SHARED_FLEET = -1;

/**
 * `counter`: how often something happened. `distribution`: a figure of each of many events, with a
 * histogram. `gauge`: a figure that was looked at many times a minute; its `count` is how often.
 */
export type MetricKind = "counter" | "distribution" | "gauge";
export type MetricUnit =
  | "jobs"
  | "attempts"
  | "milliseconds"
  | "mebibytes"
  | "bytes"
  | "workers"
  | "slots"
  | "points"
  | "percent"
  | "megabytes_per_second"
  | "megabits_per_second"
  | "requests"
  | "items";

export interface Metric {
  id: number;
  key: string;
  kind: MetricKind;
  unit: MetricUnit;
  groupings: readonly Grouping[];
  /** One sentence, for people. */
  definition: string;
  /** The table that it is made from; null where nothing writes it yet. */
  source: "phase_event" | "dispatched_job" | "worker_sample" | "instance_sample" | null;
  /** Of it others' figures could be worked out, even where it is told of one's own organization alone. */
  only?: "superusers";
  /** Width of a histogram's bin, where bins are equally wide instead of growing (`histogram.ts`). */
  binWidth?: number;
}

const EVERY: readonly Grouping[] = GROUPINGS;
const NO_WORKER: readonly Grouping[] = ["", "org", "org,queue", "org,name"];
const BY_ORG: readonly Grouping[] = ["", "org"];
const BY_NAME: readonly Grouping[] = ["", "org", "org,name"];
/** Of hosts: what one tells, and of all the mean. */
const BY_HOST: readonly Grouping[] = ["", "worker"];

function counted(
  id: number,
  key: string,
  groupings: readonly Grouping[],
  definition: string,
): Metric {
  return { id, key, kind: "counter", unit: "jobs", groupings, definition, source: "phase_event" };
}

function waited(
  id: number,
  key: string,
  groupings: readonly Grouping[],
  definition: string,
): Metric {
  const unit = "milliseconds";
  return { id, key, kind: "distribution", unit, groupings, definition, source: "phase_event" };
}

function used(id: number, key: string, unit: MetricUnit, definition: string): Metric {
  const source = "dispatched_job";
  return { id, key, kind: "distribution", unit, groupings: EVERY, definition, source };
}

type Sampled = Omit<Metric, "kind" | "binWidth">;
const sampled = (one: Sampled): Metric => ({ ...one, kind: "gauge" });

/** Upper ends of the bands of the duration heatmap, milliseconds; the last band has none. */
export const DURATION_BANDS = [10_000, 30_000, 60_000, 180_000, 600_000, 1_800_000] as const;
export const DURATION_BAND_KEYS = [
  "jobs.duration.below_10s",
  "jobs.duration.10s_to_30s",
  "jobs.duration.30s_to_1m",
  "jobs.duration.1m_to_3m",
  "jobs.duration.3m_to_10m",
  "jobs.duration.10m_to_30m",
  "jobs.duration.from_30m",
] as const;

/** The same bands in words. */
export const DURATION_BAND_WORDS = [
  "below 10 s",
  "10 to 30 s",
  "30 s to 1 min",
  "1 to 3 min",
  "3 to 10 min",
  "10 to 30 min",
  "30 min and more",
] as const;

/** First ids of the two families whose members are numbered by place. */
export const FIRST_BAND_ID = 80;
export const SCORE_ID = 100;
export const FIRST_RULE_ID = 101;

const JOBS: readonly Metric[] = [
  counted(1, "jobs.created", NO_WORKER, "Jobs that were submitted."),
  counted(2, "jobs.dispatched", EVERY, "Attempts that were given to a worker."),
  counted(3, "jobs.succeeded", EVERY, "Jobs that ended well."),
  counted(4, "jobs.failed", EVERY, "Jobs that failed for good."),
  counted(
    5,
    "jobs.dependency_failed",
    NO_WORKER,
    "Jobs that could not run because of a dependency.",
  ),
  counted(6, "jobs.cancelled", EVERY, "Jobs that were cancelled."),
  counted(7, "jobs.retried", EVERY, "Failures that are tried again, and retries by hand."),
  counted(8, "jobs.lost", EVERY, "Attempts whose worker was lost while they ran."),
  {
    ...counted(9, "evals.completed", EVERY, "Jobs that extended their workflow and ended well."),
    source: "dispatched_job",
  },
  {
    ...counted(
      10,
      "evals.failed",
      EVERY,
      "Jobs that extended their workflow and failed or were cancelled.",
    ),
    source: "dispatched_job",
  },
  {
    ...counted(
      11,
      "runs.failed",
      BY_NAME,
      "Attempts that failed, timed out, or lost their worker.",
    ),
    ...{ unit: "attempts", source: "dispatched_job" },
  },
];

const WAITS: readonly Metric[] = [
  used(
    20,
    "jobs.duration_ms",
    "milliseconds",
    "Run time of attempts that succeeded, by the worker's own clock.",
  ),
  waited(
    21,
    "deps.wait_ms",
    NO_WORKER,
    "From eligible to ready, of jobs that became ready: the wait for dependencies.",
  ),
  waited(
    22,
    "dispatch.wait_ms",
    EVERY,
    "From ready to dispatched, of attempts that were dispatched: the wait in the queue.",
  ),
  waited(
    23,
    "start.latency_ms",
    EVERY,
    "From dispatched to started, of attempts that began to run.",
  ),
  {
    ...used(
      24,
      "runs.failed_ms",
      "milliseconds",
      "Run time of attempts that failed, timed out, or lost their worker.",
    ),
    groupings: BY_NAME,
  },
];

const ITEMS: readonly Metric[] = (
  [
    [70, "items.success", "Items that attempts counted as done."],
    [71, "items.failed", "Items that attempts counted as failed."],
    [72, "items.skipped", "Items that attempts counted as skipped."],
  ] as const
).map(([id, key, definition]) => ({ ...used(id, key, "items", definition), groupings: BY_NAME }));

const USAGE: readonly Metric[] = [
  used(30, "usage.peak_ram_mb", "mebibytes", "Most memory that an attempt held at once."),
  used(31, "usage.cpu_ms", "milliseconds", "Processor time of an attempt, over all cores."),
  used(32, "usage.disk_bytes", "bytes", "What an attempt read from and wrote to disks."),
  used(
    33,
    "usage.network_mbps",
    "megabits_per_second",
    "Peak of the whole host while an attempt ran.",
  ),
];

const FLEET: readonly Metric[] = [
  sampled({
    ...{ id: 40, key: "workers.connected", unit: "workers", groupings: BY_ORG },
    ...{ definition: "Workers with an open connection.", source: "worker_sample" },
  }),
  sampled({
    ...{ id: 41, key: "workers.draining", unit: "workers", groupings: BY_ORG },
    ...{ definition: "Connected workers that take no new jobs.", source: "worker_sample" },
  }),
  sampled({
    ...{ id: 42, key: "workers.exec", unit: "workers", groupings: BY_ORG },
    ...{ definition: "Connected workers that run commands.", source: "worker_sample" },
  }),
  sampled({
    ...{ id: 43, key: "workers.handlers", unit: "workers", groupings: BY_ORG },
    ...{ definition: "Connected workers that have handlers.", source: "worker_sample" },
  }),
  sampled({
    ...{ id: 44, key: "slots.offered", unit: "slots", groupings: ["", "org", "worker"] },
    ...{ definition: "Slots of connected workers.", source: "worker_sample" },
  }),
  sampled({
    ...{ id: 45, key: "slots.used", unit: "slots", groupings: ["", "org", "worker"] },
    ...{ definition: "Slots of connected workers that hold an attempt.", source: "worker_sample" },
  }),
  sampled({
    ...{ id: 46, key: "jobs.pending", unit: "jobs", groupings: BY_NAME },
    ...{ definition: "Jobs that are ready and wait for a slot.", source: "instance_sample" },
  }),
  sampled({
    ...{ id: 47, key: "jobs.active", unit: "jobs", groupings: BY_ORG },
    ...{
      definition: "Jobs that a worker holds, wherever its workers belong.",
      source: "instance_sample",
    },
  }),
  sampled({
    ...{ id: 48, key: "slots.entitled", unit: "slots", groupings: BY_ORG },
    definition: "Equal shares of the used slots among the organizations that have work.",
    ...{ source: "instance_sample", only: "superusers" },
  }),
];

const HOSTS: readonly Metric[] = [
  sampled({
    ...{ id: 50, key: "worker.cpu_pct", unit: "percent", groupings: BY_HOST },
    ...{
      definition: "Processor use of a worker's host; of all, the mean.",
      source: "worker_sample",
    },
  }),
  sampled({
    ...{ id: 51, key: "worker.ram_free_mb", unit: "mebibytes", groupings: BY_HOST },
    ...{
      definition: "Memory of a worker's host that is free; of all, the mean.",
      source: "worker_sample",
    },
  }),
  sampled({
    ...{ id: 52, key: "worker.disk_mbps", unit: "megabytes_per_second", groupings: BY_HOST },
    ...{
      definition: "What a worker's host reads from and writes to disks; of all, the mean.",
      source: "worker_sample",
    },
  }),
  sampled({
    ...{ id: 53, key: "worker.network_mbps", unit: "megabits_per_second", groupings: BY_HOST },
    ...{
      definition: "What a worker's host sends and receives; of all, the mean.",
      source: "worker_sample",
    },
  }),
];

const CACHE: readonly Metric[] = (
  [
    [60, "cache.bytes_sent", "bytes", "What the binary cache has sent."],
    [61, "cache.bytes_added", "bytes", "What was added to the binary cache."],
    [62, "cache.requests", "requests", "Requests that the binary cache has answered."],
  ] as const
).map(([id, key, unit, definition]) => ({
  ...{ id, key, unit, definition, kind: "counter", groupings: BY_ORG, source: null },
}));

const BANDS: readonly Metric[] = DURATION_BAND_KEYS.map((key, place) => ({
  ...counted(
    FIRST_BAND_ID + place,
    key,
    EVERY,
    `Attempts that succeeded, by run time: ${DURATION_BAND_WORDS[place]}.`,
  ),
  unit: "attempts",
  source: "dispatched_job",
}));

/** A rule's key is its name: renamed or reordered rules are other rules, see `RULES_VERSION`. */
const SCORES: readonly Metric[] = ["total", ...RULES.map((rule) => rule.name)].map(
  (name, place) => ({
    id: SCORE_ID + place,
    key: `score.${name}`,
    kind: "distribution",
    unit: "points",
    groupings: BY_ORG,
    definition:
      name === "total"
        ? "Score with which an attempt that has ended was dispatched."
        : `Points that the rule ${name} gave to attempts that have ended.`,
    source: "dispatched_job",
    binWidth: 1,
  }),
);

export const CATALOGUE: readonly Metric[] = [
  ...[JOBS, WAITS, ITEMS, USAGE, FLEET, HOSTS, CACHE, BANDS, SCORES].flat(),
];

const BY_KEY = new Map(CATALOGUE.map((metric) => [metric.key, metric]));

export function metricOf(key: string): Metric | undefined {
  return BY_KEY.get(key);
}

/** Of a key that the code itself names: throws where there is none. */
export function knownMetric(key: string): Metric {
  const metric = BY_KEY.get(key);
  if (!metric) throw new Error(`There is no metric ${key}.`);
  return metric;
}

/** The kept grouping for these dimensions, or null where that pair is not kept of this metric. */
export function groupingFor(metric: Metric, asked: readonly Dimension[]): Grouping | null {
  const wanted = DIMENSIONS.filter((dimension) => asked.includes(dimension)).join();
  return metric.groupings.find((one) => one === wanted) ?? null;
}
