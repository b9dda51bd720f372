import { z } from "zod";
import { JOB_STATES } from "../../core/job_state.ts";
import { jobState, time, workflowJobInput } from "../jobs/schemas.ts";

export const WORKFLOW_STATES = ["open", "running", "succeeded", "failed", "cancelled"] as const;

export const submitted = z
  .object({
    id: z.uuid(),
    jobs: z.record(z.string(), z.uuid()).describe("Job ids by key"),
  })
  .meta({ id: "SubmittedWorkflow" });

export const moreJobs = z.strictObject({
  jobs: z.array(workflowJobInput).max(10_000),
  close: z.boolean().optional().describe("No more will follow"),
});

const counts = z
  .object(Object.fromEntries(JOB_STATES.map((state) => [state, z.int().min(0)])))
  .describe("Jobs by state");

const fields = {
  id: z.uuid(),
  org: z.string(),
  name: z.string(),
  state: z.enum(WORKFLOW_STATES),
  open: z.boolean().describe("More jobs may be added"),
  commit: z.object({ hash: z.string(), timestamp: time }).nullable(),
  reason: z.string().nullable(),
  created_at: time,
  finished_at: time.nullable(),
  cancel_requested_at: time.nullable(),
  counts,
};
export const workflowSummary = z.object(fields).meta({ id: "WorkflowSummary" });
export type WorkflowSummary = z.infer<typeof workflowSummary>;

export const workflow = z
  .object({
    ...fields,
    jobs: z
      .array(
        z.object({
          key: z.string(),
          id: z.uuid(),
          name: z.string(),
          state: jobState,
          depends_on: z.array(z.uuid()),
          attempt: z.int(),
          exit_code: z.int().nullable(),
          started_at: time.nullable(),
          finished_at: time.nullable(),
        }),
      )
      .describe("By key, a page of them"),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "Workflow" });
export type WorkflowView = z.infer<typeof workflow>;
