/** A schedule's settings, and what the audit log says of them: all but what its jobs are given. */
import type { ScheduleRow } from "../../db/statements/schedules/rows.ts";
import type {
  JobTemplate,
  ScheduleSettings,
  WorkflowTemplate,
} from "../../messages/schedule_input.ts";

export function settingsOf(row: ScheduleRow): ScheduleSettings {
  const { name, description, cron, time_zone, catch_up_max, jitter_seconds } = row;
  return {
    ...{ name, description, cron, time_zone, catch_up_max, jitter_seconds },
    job: row.job as JobTemplate | null,
    workflow: row.workflow as WorkflowTemplate | null,
    overlap: row.overlap as ScheduleSettings["overlap"],
    catch_up: row.catch_up as ScheduleSettings["catch_up"],
    ...{ vendor_type: row.vendor_type, vendor_id: row.vendor_id, managed_by: row.managed_by },
  };
}

/** Payloads can hold secrets: of what is submitted there is the name. */
export function factsOf({ job, workflow, ...rest }: ScheduleSettings): Record<string, unknown> {
  const submits =
    job === null ? `workflow ${workflow?.name}` : `job ${job.name} in queue ${job.queue}`;
  return { ...rest, submits };
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Whether all that was seen of it is still so. */
export function isAs(settings: ScheduleSettings, seen: Partial<ScheduleSettings>): boolean {
  const keys = Object.keys(seen) as (keyof ScheduleSettings)[];
  return keys.every((key) => isSame(settings[key], seen[key]));
}

/** What differs, and the name; null where nothing does. */
export function changed(
  before: ScheduleSettings,
  after: ScheduleSettings,
): { before: object; after: object } | null {
  const isNewTemplate = !isSame(before.job, after.job) || !isSame(before.workflow, after.workflow);
  const [was, is] = [factsOf(before), factsOf(after)];
  const keys = Object.keys(is).filter((key) => !isSame(was[key], is[key]));
  if (keys.length === 0 && !isNewTemplate) return null;
  const pick = (facts: Record<string, unknown>) =>
    Object.fromEntries(["name", ...keys].map((key) => [key, facts[key]]));
  const news = isNewTemplate ? { is_new_template: true } : {};
  return { before: pick(was), after: { ...pick(is), ...news } };
}
