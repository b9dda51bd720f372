import { z } from "zod";
import { queueLimits } from "../../messages/queue_limits.ts";
import { reasonInput, time } from "../jobs/schemas.ts";

export const tag = "Queues";

export const queueParams = z.strictObject({
  org: z.string().max(63),
  name: z.string().max(63),
});

export const queue = z
  .object({
    org: z.string(),
    name: z.string(),
    description: z.string(),
    pending: z.int().min(0).describe("Jobs that wait, for whatever"),
    running: z.int().min(0).describe("Jobs that a worker holds"),
    latency_seconds: z.number().min(0).describe("How long the next job has been ready; 0: none is"),
    paused_at: time.nullable(),
    paused_by: z.string().nullable(),
    pause_reason: z.string().nullable(),
    stopping: z.boolean().describe("What waited in it is being ended"),
    limits: z
      .object({
        concurrency: z.int().nullable().describe("Jobs at once"),
        rate: z.object({ count: z.int(), seconds: z.number() }).nullable().describe("Starts"),
        per_key: z
          .object({ tag: z.string(), concurrency: z.int() })
          .nullable()
          .describe("Jobs at once that have the same value of this tag"),
      })
      .nullable(),
  })
  .meta({ id: "Queue" });
export type QueueView = z.infer<typeof queue>;

export const queuePatch = z.strictObject({
  description: z.string().max(1_024).optional(),
  limits: queueLimits
    .nullable()
    .optional()
    .describe("What is not named stays; null takes a limit away, or all of them"),
  reason: z.string().max(1_024).optional().describe("Written into the audit log"),
});

export const stopInput = reasonInput.extend({
  dry_run: z.boolean().optional().describe("Only count"),
  delay_seconds: z
    .int()
    .min(0)
    .max(3_600)
    .optional()
    .describe("How long it can be called off whole; 10 unless told"),
});

export const stopOfOrgInput = stopInput.extend({
  queues: z.array(z.string().max(63)).min(1).max(200).optional().describe("Only these"),
});

export const stopAnswer = z
  .object({
    operation: z.uuid().nullable().describe("Null: nothing waited, or it was only counted"),
    affected: z.int().min(0).describe("Jobs that wait"),
    queues: z
      .array(z.object({ org: z.string(), name: z.string(), affected: z.int().min(0) }))
      .describe("Where they wait, most first"),
  })
  .meta({ id: "StoppedQueues" });
export type QueueChanges = z.infer<typeof queuePatch>;
export type StoppedView = z.infer<typeof stopAnswer>;
