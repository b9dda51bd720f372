/** Jobs as the API takes and shows them. */
import { z } from "zod";
import { JOB_STATES, OUTCOMES, WAITING_FOR } from "../../core/job_state.ts";
import { searchProblem } from "../../core/search/fields.ts";
import { checkStorable } from "../../core/storable.ts";
import {
  backoff,
  jobInput as plainJobInput,
  workflowInput as plainWorkflowInput,
  workflowJobInput as plainWorkflowJobInput,
  requirements,
} from "../../messages/job_input.ts";
import { jobName, queueName } from "../../messages/names.ts";
import { cursorParam, UUID } from "../cursor.ts";
import { limitParam, numberParam } from "../query.ts";

export const time = z.iso.datetime().describe("RFC 3339, UTC");
const maybeTime = time.nullable();
export const jobState = z.enum(JOB_STATES).meta({ id: "JobState" });
const count = z.int().min(0);
const amount = z.number().min(0);

// Input

/** The payload must be storable: bounded in size and depth. */
function storablePayload(
  job: { payload?: unknown },
  ctx: z.core.$RefinementCtx<{ payload?: unknown }>,
): void {
  const wrong = checkStorable(job.payload);
  if (wrong !== null) ctx.addIssue({ code: "custom", path: ["payload"], message: wrong });
}

export const jobInput = plainJobInput.superRefine(storablePayload).meta({
  id: "JobInput",
  description: "A job to be run. An `exec` payload is {command, env?, stdin?}.",
});
export const workflowJobInput = plainWorkflowJobInput
  .superRefine(storablePayload)
  .meta({ id: "WorkflowJobInput" });
export const workflowInput = plainWorkflowInput
  .safeExtend({ jobs: z.array(workflowJobInput).max(10_000) })
  .meta({ id: "WorkflowInput" });

export const bulkInput = z.strictObject({ jobs: z.array(jobInput).min(1).max(10_000) });

export const reasonInput = z.strictObject({
  reason: z.string().max(1024).optional().describe("Written into the history"),
});

const SEARCH_MAX = 4_000;
const DELAY_MAX_SECONDS = 3_600;
const searchText = z
  .string()
  .max(SEARCH_MAX)
  .superRefine((q, ctx) => {
    const wrong = searchProblem(q);
    if (wrong !== null) ctx.addIssue({ code: "custom", message: wrong });
  })
  .describe(
    "A search as on the board: words that stand in the name, in a tag or at the id's beginning, and " +
      '`key:value`, such as `state:failed -queue:ci name:build/* created:<24h error:"no space"`',
  );

/** Each further condition narrows. */
export const jobFilter = z
  .strictObject({
    state: z.array(jobState).max(JOB_STATES.length).optional(),
    queue: queueName.optional(),
    name: jobName.optional(),
    workflow: z.uuid().toLowerCase().optional(),
    tag: z.record(z.string().min(1).max(64), z.string().max(256)).optional(),
    q: searchText.optional(),
    created_after: z.iso.datetime({ offset: true }).optional(),
    created_before: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: "JobFilter" });

export const matchingInput = z.strictObject({
  filter: jobFilter,
  reason: z.string().max(1024).optional(),
  dry_run: z.boolean().optional().describe("Only count"),
  delay_seconds: z.int().min(0).max(DELAY_MAX_SECONDS).optional().describe("Begins so much later"),
});

export const matchingAnswer = z.object({
  operation: z.uuid().nullable(),
  affected: count.describe("How many matched, as far as they were counted"),
  complete: z.boolean().describe("False: there may be more than `affected`"),
  queues: z
    .array(z.object({ name: z.string(), affected: count }))
    .optional()
    .describe("With `dry_run`: where they are, most first"),
});

const tagParam = z
  .string()
  .regex(/^[^:]{1,64}:.{0,256}$/su, "must be KEY:VALUE")
  .describe("KEY:VALUE");

export const listQuery = z.strictObject({
  state: z.array(jobState).max(JOB_STATES.length).optional(),
  queue: queueName.optional(),
  name: jobName.optional(),
  workflow: z.uuid().toLowerCase().optional(),
  worker: z.uuid().toLowerCase().optional(),
  tag: z.array(tagParam).max(32).optional(),
  q: searchText.optional(),
  created_after: z.iso.datetime({ offset: true }).optional(),
  created_before: z.iso.datetime({ offset: true }).optional(),
  cursor: cursorParam(UUID),
  limit: limitParam,
});
export type ListQuery = z.output<typeof listQuery>;

export const attemptParam = numberParam(1, 2_147_483_647)
  .optional()
  .describe("Which attempt; the latest where not said");

// Output

const workerRef = z.object({ id: z.uuid(), name: z.string() }).meta({ id: "WorkerRef" });
export const items = z.object({ success: count, failed: count, skipped: count });

const summaryFields = {
  id: z.uuid(),
  org: z.string(),
  name: z.string(),
  queue: z.string(),
  kind: z.enum(["exec", "handler"]),
  priority: z.int(),
  requirements: requirements.nullable(),
  max_attempts: z.int(),
  backoff: z.object(backoff.shape),
  timeout_seconds: z.number().nullable(),
  run_at: maybeTime,
  depends_on: z.array(z.uuid()),
  dedupe_key: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  state: jobState,
  waiting_for: z.enum(WAITING_FOR).nullable(),
  attempt: count.describe("Dispatches so far"),
  failures: count,
  worker: workerRef.nullable(),
  workflows: z.array(z.object({ id: z.uuid(), key: z.string() })),
  created_by: z.string().nullable(),
  created_at: time,
  queued_at: maybeTime,
  eligible_at: maybeTime,
  ready_at: maybeTime,
  dispatched_at: maybeTime,
  started_at: maybeTime,
  finished_at: maybeTime,
  cancel_requested_at: maybeTime,
  cancel_acknowledged_at: maybeTime,
  run_ms: amount.nullable().describe("The worker's own duration of the last attempt"),
  exit_code: z.int().nullable(),
  reason: z.string().nullable(),
  error: z.string().nullable(),
  progress: z
    .object({
      fraction: z.number().nullable(),
      note: z.string().nullable(),
      items: items.nullable(),
    })
    .nullable(),
};

export const jobSummary = z.object(summaryFields).meta({
  id: "JobSummary",
  description: "A job without its payload and its result",
});
export type JobSummary = z.infer<typeof jobSummary>;

export const job = z
  .object({ ...summaryFields, payload: z.unknown(), result: z.unknown() })
  .meta({ id: "Job" });
export type JobView = z.infer<typeof job>;

export const jobList = z
  .object({
    items: z.array(jobSummary),
    next_cursor: z.string().nullable(),
    searched_to: time
      .nullable()
      .describe("Jobs made since then have been looked at; null: all. A page may be short."),
  })
  .meta({ id: "JobList" });

const waits = z.object({
  deferral_ms: amount.nullable(),
  dependency_wait_ms: amount.nullable(),
  queue_wait_ms: amount.nullable(),
  start_latency_ms: amount.nullable(),
  run_ms: amount.nullable(),
});

export const usageView = z.object({
  peak_ram_mb: amount.nullable(),
  cpu_ms: amount.nullable(),
  disk_read_bytes: amount.nullable(),
  disk_write_bytes: amount.nullable(),
  network_mbps: amount.nullable().describe("Peak of the whole host"),
  oom_killed: z.boolean().nullable(),
  source: z.record(z.string(), z.string()).describe("Where each figure was read"),
});

export const attempt = z
  .object({
    attempt: z.int(),
    state: jobState.describe("While it lives its state, then the job's state after it"),
    outcome: z.enum(OUTCOMES).nullable().describe("Null while it lives"),
    worker: workerRef.nullable(),
    reason: z.string().nullable(),
    error: z.string().nullable(),
    exit_code: z.int().nullable(),
    signal: z.string().nullable(),
    queued_at: time,
    eligible_at: maybeTime,
    ready_at: time,
    dispatched_at: time,
    started_at: maybeTime,
    ended_at: maybeTime,
    waits,
    usage: usageView,
    items: items.nullable(),
    log_bytes: count.nullable(),
    score: z.number().nullable(),
  })
  .meta({ id: "Attempt" });
export type AttemptView = z.infer<typeof attempt>;

export const phaseEvent = z
  .object({
    id: z.string(),
    at: time,
    attempt: count,
    from_state: jobState.nullable(),
    state: jobState,
    waiting_for: z.enum(WAITING_FOR).nullable(),
    outcome: z.enum(OUTCOMES).nullable(),
    reason: z.string().nullable(),
    worker: workerRef.nullable(),
    actor: z.string().nullable(),
  })
  .meta({ id: "PhaseEvent" });
export type PhaseEventView = z.infer<typeof phaseEvent>;
