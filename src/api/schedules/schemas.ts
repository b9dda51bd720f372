/** Schedules as the API takes and shows them. */
import { z } from "zod";
import {
  scheduleInput as plainScheduleInput,
  schedulePatch as plainSchedulePatch,
} from "../../messages/schedule_input.ts";
import type { FireView } from "../../web/schedules/fires.ts";
import type { ScheduleDetail, ScheduleItem } from "../../web/schedules/rows.ts";
import { reasonInput, time } from "../jobs/schemas.ts";

export const scheduleInput = plainScheduleInput.extend(reasonInput.shape).meta({
  id: "ScheduleInput",
  description: "A cron rule, and the job or the workflow that it submits: one of the two.",
});
export const schedulePatch = plainSchedulePatch
  .extend(reasonInput.shape)
  .meta({ id: "SchedulePatch" });

const text = z.string().nullable();
const at = time.nullable();

export const fire = z
  .object({
    nominal_at: time.describe("As the rule says; of a run by hand, when that was asked"),
    kind: z.enum(["due", "missed", "manual"]),
    state: z.enum(["waiting", "submitted", "skipped", "refused"]),
    outcome: z.string().describe("State of what was submitted, now or at its end; else as `state`"),
    job: z.uuid().nullable(),
    workflow: z.uuid().nullable(),
    fired_at: at,
    late_seconds: z.number().nullable(),
    reason: text.describe("Why it was skipped or refused"),
    missed: z.int().nullable().describe("Due times that a skip stands for, at least"),
    asked_by: text,
  })
  .meta({ id: "ScheduleFire" });

const { paused: _paused, job, workflow, ...settings } = plainScheduleInput.shape;
const shown = Object.fromEntries(
  Object.entries(settings).map(([name, schema]) => [
    name,
    schema instanceof z.ZodDefault ? schema.unwrap() : schema,
  ]),
);

export const scheduleItem = z
  .object({
    ...shown,
    id: z.uuid(),
    org: z.string(),
    words: z.string().describe("The rule as a sentence"),
    submits: z.object({ kind: z.enum(["job", "workflow"]), name: z.string(), queue: text }),
    paused_at: at,
    paused_by: text,
    pause_reason: text,
    next_runs: z.array(time).describe("Without jitter; none while it is paused"),
    next_fire_at: at.describe("With its jitter; in the past where it is being caught up"),
    last_fire_at: at,
    last_outcome: text,
    last_fire: fire.nullable(),
    created_at: time,
    created_by: z.string(),
    updated_at: time,
    updated_by: z.string(),
  })
  .meta({ id: "ScheduleItem" });

export const schedule = scheduleItem
  .extend({
    job: job.unwrap(),
    workflow: workflow.unwrap(),
    last_fires: z.array(fire).describe("The newest ten"),
  })
  .meta({ id: "Schedule" });

export const triggered = z
  .object({
    nominal_at: time,
    state: z.enum(["submitted", "waiting"]),
    job: z.uuid().nullable(),
    workflow: z.uuid().nullable(),
  })
  .meta({ id: "TriggeredSchedule" });

export type FireAnswer = FireView;
export type ScheduleItemView = ScheduleItem;
export type ScheduleView = ScheduleDetail;
export type TriggeredView = z.infer<typeof triggered>;
