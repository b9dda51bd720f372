/** What a job is made from: the shape that API, command line, SDK and worker `submit` share. */
import { z } from "zod";
import { jobName, label, queueName } from "./names.ts";

export const PAYLOAD_MAX_BYTES = 256 * 1024;
export const PAYLOAD_MAX_DEPTH = 64;

const json: z.ZodType<unknown> = z.unknown();

export const execPayload = z.strictObject({
  command: z
    .array(z.string())
    .min(1)
    .max(1024)
    .describe("Program and arguments, run without a shell"),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).optional(),
  stdin: z.string().optional(),
});
export type ExecPayload = z.infer<typeof execPayload>;

export const requirements = z.strictObject({
  system: label.optional().describe("Such as x86_64-linux"),
  features: z.array(label).max(32).optional().describe("Every one must be offered by the worker"),
  pool: label.optional(),
  ram_mb: z.number().int().positive().max(100_000_000).optional().describe("Reserved, MiB"),
  cpus: z.number().positive().max(100_000).optional().describe("Reserved, cores"),
});
export type Requirements = z.infer<typeof requirements>;

export const backoff = z.strictObject({
  base_seconds: z.number().min(0).max(86_400).default(10),
  factor: z.number().min(1).max(100).default(2),
  max_seconds: z.number().min(0).max(604_800).default(3600),
});

export const commonJobFields = {
  name: jobName,
  queue: queueName.default("default"),
  kind: z.enum(["exec", "handler"]).default("exec"),
  payload: json.optional(),
  priority: z.number().int().min(-100).max(100).default(0).describe("Higher goes first"),
  requirements: requirements.optional(),
  max_attempts: z.number().int().min(1).max(1000).default(1),
  backoff: backoff.optional(),
  timeout_seconds: z
    .number()
    .min(0.001)
    .max(365 * 86_400)
    .optional(),
  run_at: z.iso.datetime({ offset: true }).optional(),
  dedupe_key: z.string().min(1).max(256).optional(),
  tags: z
    .record(z.string().min(1).max(64), z.string().max(256))
    .refine((tags) => Object.keys(tags).length <= 32, "at most 32 tags")
    .optional(),
};

/** `exec` needs a command; anything else is said at the path where it is wrong. */
export function checkPayload(
  job: { kind: string; payload?: unknown },
  ctx: z.core.$RefinementCtx<unknown>,
): void {
  if (job.kind !== "exec") return;
  const parsed = execPayload.safeParse(job.payload);
  if (parsed.success) return;
  for (const issue of parsed.error.issues) {
    ctx.addIssue({ code: "custom", message: issue.message, path: ["payload", ...issue.path] });
  }
}

export const jobInput = z
  .strictObject({
    ...commonJobFields,
    depends_on: z.array(z.uuid().toLowerCase()).max(10_000).optional(),
  })
  .superRefine(checkPayload);
/** As written by a caller: defaults may be left out. */
export type JobInput = z.input<typeof jobInput>;
export type ParsedJobInput = z.output<typeof jobInput>;

export const workflowKey = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,127}$/);

export const workflowJobInput = z
  .strictObject({
    ...commonJobFields,
    key: workflowKey,
    depends_on: z
      .array(z.union([workflowKey, z.strictObject({ job: z.uuid().toLowerCase() })]))
      .max(10_000)
      .optional(),
  })
  .superRefine(checkPayload);
export type WorkflowJobInput = z.input<typeof workflowJobInput>;
export type ParsedWorkflowJobInput = z.output<typeof workflowJobInput>;

export const workflowInput = z.strictObject({
  name: jobName,
  jobs: z.array(workflowJobInput).max(10_000),
  commit: z
    .strictObject({ hash: z.string().min(1).max(64), timestamp: z.iso.datetime({ offset: true }) })
    .optional(),
  open: z.boolean().optional().describe("More jobs may be added; it ends only after it is closed"),
});
export type WorkflowInput = z.input<typeof workflowInput>;
export type ParsedWorkflowInput = z.output<typeof workflowInput>;
