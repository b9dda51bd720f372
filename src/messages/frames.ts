/**
 * The worker protocol, version 1: every frame that travels over `/worker/v1`, both ways.
 * JSON text frames, each `{type, …}`; arrays wherever many can travel together.
 * A lease is named by (job, attempt, token) in every report. See docs/worker-protocol.md.
 */
import { z } from "zod";
import { workflowJobInput } from "./job_input.ts";
import { jobName, label } from "./names.ts";

export const PROTOCOL_VERSION = 1;
export const FRAME_MAX_BYTES = 1024 * 1024;
export const ASSIGN_MAX_BYTES = 512 * 1024;
export const RESULT_MAX_BYTES = 256 * 1024;
export const LOG_MAX_BYTES = 64 * 1024 * 1024;

const lease = { job: z.uuid(), attempt: z.int().positive(), token: z.uuid() };
const count = z.number().int().min(0).max(1e15);
const amount = z.number().min(0).max(1e15);

/** Totals of the attempt so far. */
export const items = z.strictObject({
  success: count.default(0),
  failed: count.default(0),
  skipped: count.default(0),
});
export type Items = z.infer<typeof items>;

/** Where a figure was read; a figure that could not be read is absent, never 0. */
const source = z.enum(["cgroup", "proc", "host", "rusage"]);
export const usage = z.strictObject({
  peak_ram_mb: amount.optional(),
  cpu_ms: amount.optional(),
  disk_read_bytes: amount.optional(),
  disk_write_bytes: amount.optional(),
  network_mbps: amount.optional().describe("Peak of the whole host while the attempt ran"),
  oom_killed: z.boolean().optional(),
  source: z
    .strictObject({
      ram: source.optional(),
      cpu: source.optional(),
      disk: source.optional(),
      network: source.optional(),
      oom: source.optional(),
    })
    .optional(),
});
export type Usage = z.infer<typeof usage>;

export const WORKER_OUTCOMES = [
  "succeeded",
  "failed",
  "timed_out",
  "cancelled",
  "released",
] as const;

/** The end of one attempt, as its worker saw it. Kept by the worker until `recorded`. */
export const finishedReport = z.strictObject({
  ...lease,
  outcome: z.enum(WORKER_OUTCOMES),
  reason: z.string().max(256).optional(),
  exit_code: z.int().optional(),
  signal: z.string().max(32).optional(),
  result: z.unknown().optional(),
  error: z.string().max(65_536).optional(),
  /** Monotonic, from start to end. Absent only where the attempt never started. */
  run_ms: amount.optional(),
  log_bytes: count.optional(),
  usage: usage.optional(),
  items: items.optional(),
});
export type FinishedReport = z.infer<typeof finishedReport>;

export const resources = z.strictObject({
  cpus: z.number().positive().max(100_000).optional(),
  ram_mb: z.number().positive().max(1e9).optional(),
});

export const metrics = z.strictObject({
  cpu_pct: z.number().min(0).max(100).optional(),
  ram_free_mb: amount.optional(),
  ram_total_mb: amount.optional(),
  disk_mbps: amount.optional().describe("MB/s written and read by the host, latest second"),
  network_mbps: amount.optional().describe("Mbit/s of the host, latest second"),
});
export type WorkerMetrics = z.infer<typeof metrics>;

const running = z.strictObject({ ...lease, started: z.boolean() });

export const hello = z.strictObject({
  type: z.literal("hello"),
  protocol: z.literal(PROTOCOL_VERSION),
  version: z.string().max(64),
  worker_id: z.uuid(),
  token: z.string().max(512),
  name: z.string().min(1).max(128),
  pid: z.int().min(0),
  host: z.string().max(256),
  pool: label.default("default"),
  concurrency: z.int().min(1).max(10_000),
  system: label.optional(),
  features: z.array(label).max(256).default([]),
  kinds: z.array(z.enum(["exec", "handler"])).default(["exec"]),
  handlers: z.array(jobName).max(10_000).default([]),
  resources: resources.default({}),
  draining: z.boolean().default(false),
  running: z.array(running).max(20_000).default([]),
  unrecorded: z.array(finishedReport).max(20_000).default([]),
});
export type Hello = z.output<typeof hello>;

const progressReport = z.strictObject({
  ...lease,
  fraction: z.number().min(0).max(1).optional(),
  note: z.string().max(512).optional(),
  items: items.optional(),
});
export type ProgressReport = z.infer<typeof progressReport>;

/** `offset` counts bytes of the attempt's log from its start, so that a repeat writes the same bytes. */
const logChunk = z.strictObject({
  ...lease,
  offset: count,
  data: z.string().max(262_144),
});
export type LogChunk = z.infer<typeof logChunk>;

const leases = z.array(z.strictObject(lease)).min(1).max(20_000);

/** Worker → server. */
export const workerFrame = z.discriminatedUnion("type", [
  hello,
  z.strictObject({ type: z.literal("started"), jobs: leases }),
  z.strictObject({ type: z.literal("progress"), jobs: z.array(progressReport).min(1).max(20_000) }),
  z.strictObject({ type: z.literal("log"), chunks: z.array(logChunk).min(1).max(1000) }),
  z.strictObject({ type: z.literal("finished"), jobs: z.array(finishedReport).min(1).max(20_000) }),
  z.strictObject({ type: z.literal("heartbeat"), metrics: metrics.optional() }),
  z.strictObject({ type: z.literal("cancelling"), jobs: leases }),
  z.strictObject({
    type: z.literal("submit"),
    ...lease,
    batch: z.string().min(1).max(128),
    jobs: z.array(workflowJobInput).min(1).max(1000),
  }),
  z.strictObject({ type: z.literal("draining") }),
  z.strictObject({
    type: z.literal("rejected"),
    jobs: z
      .array(z.strictObject({ ...lease, reason: z.string().max(512) }))
      .min(1)
      .max(20_000),
  }),
]);
export type WorkerFrame = z.output<typeof workerFrame>;

/** Reasons of `rejected` that pass by themselves: the worker is asked again, not vetoed for the job. */
export const PASSING_REJECTIONS = {
  draining: "draining",
  noSlot: "no free slot",
  manyEnds: "too many ends wait to be recorded",
  held: "another attempt of this job is held here",
} as const;

const leaseRef = z.object(lease);
const named = z.object({ ...lease, reason: z.string() });

export const assignment = z.object({
  ...lease,
  name: z.string(),
  org: z.string(),
  queue: z.string(),
  kind: z.enum(["exec", "handler"]),
  payload: z.unknown().optional(),
  /** Results of the direct dependencies: by job id, and by workflow key where there is one. */
  inputs: z.record(z.string(), z.unknown()).optional(),
  timeout_seconds: z.number().optional(),
  max_attempts: z.int(),
  ram_mb: z.number().optional(),
  cpus: z.number().optional(),
});
export type Assignment = z.infer<typeof assignment>;

/** Server → worker. A worker ignores fields it does not know: the server may be newer. */
export const serverFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    session: z.number(),
    lease_seconds: z.number(),
    heartbeat_seconds: z.number(),
    /** Attempts to carry on with, and from which byte their logs are wanted. */
    resume: z.array(z.object({ ...lease, log_offset: z.number() })),
    kill: z.array(named),
  }),
  z.object({ type: z.literal("assign"), jobs: z.array(assignment) }),
  z.object({
    type: z.literal("recorded"),
    jobs: z.array(z.object({ ...lease, accepted: z.boolean(), reason: z.string().optional() })),
  }),
  z.object({
    type: z.literal("submitted"),
    ...lease,
    batch: z.string(),
    ids: z.record(z.string(), z.uuid()).optional(),
    error: z.string().optional(),
  }),
  z.object({ type: z.literal("cancel"), jobs: z.array(named) }),
  z.object({ type: z.literal("lease_lost"), jobs: z.array(named) }),
  z.object({ type: z.literal("drain") }),
  z.object({ type: z.literal("error"), code: z.string(), message: z.string() }),
]);
export type ServerFrame = z.infer<typeof serverFrame>;
export type LeaseRef = z.infer<typeof leaseRef>;
