/** A schedule as it is asked for: in the API, on the board, in files. */
import { z } from "zod";
import { checkPayload, commonJobFields, workflowKey } from "./job_input.ts";
import { jobName } from "./names.ts";

/** Two more are added to what a schedule submits. */
const TAGS_MAX = 30;
const JOBS_MAX = 1_000;

/** With one, a run would become the run before it, which `replace` cancels, or the job of somebody else. */
const noKey = z
  .never(
    "is not for a schedule, which never fires twice for one due time: leave it out, and say with `overlap` " +
      "what becomes of a run while the one before it has not ended",
  )
  .optional()
  .describe("Left out: `overlap` says what becomes of a run while the one before it has not ended");

const { run_at: _when, dedupe_key: _key, ...template } = commonJobFields;
const fields = {
  ...template,
  dedupe_key: noKey,
  tags: template.tags.refine(
    (tags) => Object.keys(tags ?? {}).length <= TAGS_MAX,
    `at most ${TAGS_MAX} tags: the schedule adds two of its own`,
  ),
};

/** A job without the time at which it runs: that is what the schedule says. */
export const jobTemplate = z.strictObject(fields).superRefine(checkPayload);
export const workflowTemplate = z.strictObject({
  name: jobName,
  jobs: z
    .array(
      z
        .strictObject({
          ...fields,
          key: workflowKey,
          depends_on: z.array(workflowKey).max(JOBS_MAX).optional(),
        })
        .superRefine(checkPayload),
    )
    .min(1, "needs at least one job")
    .max(JOBS_MAX),
});

const words = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, "must not hold control characters");

const DAY = 86_400;
export const CATCH_UP_MAX = 100;

const settings = {
  name: jobName.describe("Unique in its organization"),
  cron: z
    .string()
    .trim()
    .max(200)
    .describe("Minute, hour, day, month, weekday; with six fields the second comes first"),
  time_zone: z.string().max(64).describe("An IANA name such as Europe/Berlin"),
  job: jobTemplate.nullable().describe("What is submitted; or give `workflow`"),
  workflow: workflowTemplate.nullable(),
  overlap: z
    .enum(["skip", "queue", "replace"])
    .describe(
      "Where the run before has not ended: leave this one out, let it wait, or cancel that one",
    ),
  catch_up: z
    .enum(["none", "last", "all"])
    .describe("Of due times in a pause or while no server was there: none, the last, or all"),
  catch_up_max: z.int().min(1).max(CATCH_UP_MAX).describe("With `all`: the newest so many"),
  jitter_seconds: z.int().min(0).max(DAY).describe("Fires up to so much later, always by the same"),
  description: words(2_000),
  vendor_type: words(128).nullable().describe("For whoever makes schedules by a program"),
  vendor_id: words(128).nullable(),
  managed_by: words(128).nullable().describe("Set by `signalbox apply`: who may prune it"),
};

/** Exactly one of `job` and `workflow`: said by whoever parses, for a patch has to be merged first. */
export const scheduleInput = z.strictObject({
  ...settings,
  time_zone: settings.time_zone.default("UTC"),
  job: settings.job.default(null),
  workflow: settings.workflow.default(null),
  overlap: settings.overlap.default("skip"),
  catch_up: settings.catch_up.default("last"),
  catch_up_max: settings.catch_up_max.default(10),
  jitter_seconds: settings.jitter_seconds.default(0),
  description: settings.description.default(""),
  vendor_type: settings.vendor_type.default(null),
  vendor_id: settings.vendor_id.default(null),
  managed_by: settings.managed_by.default(null),
  paused: z.boolean().default(false).describe("Made, and not started yet"),
});
export type ScheduleInput = z.input<typeof scheduleInput>;
export type ParsedScheduleInput = z.output<typeof scheduleInput>;
/** All of it but whether it is paused: what a change may change. */
export type ScheduleSettings = Omit<ParsedScheduleInput, "paused">;

export const schedulePatch = z.strictObject(settings).partial();
export type SchedulePatch = z.input<typeof schedulePatch>;
export type ParsedSchedulePatch = z.output<typeof schedulePatch>;

export type JobTemplate = z.output<typeof jobTemplate>;
export type WorkflowTemplate = z.output<typeof workflowTemplate>;
