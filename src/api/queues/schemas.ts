import { z } from "zod";
import { time } from "../jobs/schemas.ts";

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
    limits: z
      .object({
        concurrency: z.int().nullable(),
        rate: z.object({ count: z.int(), seconds: z.number() }).nullable(),
      })
      .nullable(),
  })
  .meta({ id: "Queue" });
export type QueueView = z.infer<typeof queue>;
