/** What superusers see of the whole instance. */
import { z } from "zod";
import { JOB_STATES } from "../../core/job_state.ts";
import { time } from "../jobs/schemas.ts";

const bytes = z.number().min(0);
const maybeBytes = bytes.nullable();
const day = z.iso.date().nullable();
const count = z.int().min(0);

const kept = {
  oldest_day: day.describe("The first UTC day that has something; null: none"),
  newest_day: day,
  bytes_a_day: maybeBytes.describe("At present: the mean of the last whole days"),
};
const expected = maybeBytes.describe("`kept_days` times `bytes_a_day`");

const table = z.object({
  table: z.string(),
  partitions: count.describe("Which are summed here; 0: it is one table"),
  heap_bytes: bytes,
  toast_bytes: bytes,
  index_bytes: bytes,
  total_bytes: bytes,
  rows: count.describe("An estimate"),
  ...kept,
  kept_days: count.nullable().describe("What the setting says; null: rows go with others, or stay"),
  expected_bytes: expected,
});

export const storage = z
  .object({
    at: time,
    database_bytes: bytes,
    tables: z.array(table).describe("The largest first"),
    logs: z
      .object({ files: count, bytes, ...kept, kept_days: count, expected_bytes: expected })
      .nullable()
      .describe("Null while they are counted for the first time"),
  })
  .meta({ id: "Storage" });

export const task = z
  .object({
    id: z.uuid(),
    kind: z.enum(["deep_gc"]),
    state: z.enum(["running", "done", "failed"]),
    created_by: z.string(),
    reason: z.string().nullable(),
    passes: z.array(
      z.object({
        pass: z.enum(["orphan_logs", "lost_logs", "partitions", "sessions"]),
        state: z.enum(["waiting", "running", "done"]),
        scanned: count,
        removed: count.describe("Removed, cleared or ended"),
        left: count.describe("Found wrong, and left because it could not be told to be safe"),
        started_at: time.nullable(),
        finished_at: time.nullable(),
      }),
    ),
    error: z.string().nullable(),
    created_at: time,
    finished_at: time.nullable(),
  })
  .meta({ id: "AdminTask" });

export const draining = z
  .object({
    enabled: z.boolean(),
    by: z.string().nullable().describe("Who drains it; null: nobody"),
    at: time.nullable(),
    reason: z.string().nullable(),
    running: z
      .array(
        z.object({
          job: z.uuid(),
          name: z.string(),
          org: z.string(),
          state: z.enum(JOB_STATES),
          worker: z.string(),
          since: time,
        }),
      )
      .describe("What still runs, longest first, at most 100"),
    total: count.describe("How many still run"),
  })
  .meta({ id: "Draining" });
