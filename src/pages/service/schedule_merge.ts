/**
 * What somebody changed in the form of a schedule: against what stood in it when it was printed, and beside
 * what others have changed since then. Pure.
 */
import type { ScheduleSettings } from "../../messages/schedule_input.ts";
import { FIELDS, type Field, type ScheduleFields } from "./schedule_form.ts";

export interface FieldChange {
  field: Field;
  label: string;
  /** As it is by now. */
  is: string;
  /** As it is to be. */
  wanted: string;
}

export interface Merged {
  /** What was typed where something was, and what is so by now everywhere else. */
  fields: ScheduleFields;
  changes: FieldChange[];
  /** Of these, those that somebody else has changed to something else. */
  clashes: FieldChange[];
}

const LABELS: Record<Field, string> = {
  name: "Name",
  cron: "Rule",
  time_zone: "Time zone",
  overlap: "Where the run before has not ended",
  catch_up: "Of due times that were missed",
  catch_up_max: "Up to how many missed",
  jitter_seconds: "Later by up to so many seconds",
  description: "Description",
  vendor_type: "Vendor type",
  vendor_id: "Vendor id",
  submits: "What it submits",
};

export function mergeFields(
  typed: ScheduleFields,
  was: ScheduleFields,
  is: ScheduleFields,
): Merged {
  const fields = { ...is };
  const changes: FieldChange[] = [];
  const clashes: FieldChange[] = [];
  for (const field of FIELDS) {
    // What is too long for the form is not in it.
    const isLeft = field === "submits" && typed.submits.trim() === "";
    if (isLeft || isSame(field, typed[field], was[field])) continue;
    fields[field] = typed[field];
    if (isSame(field, typed[field], is[field])) continue;
    const change = { field, label: LABELS[field], is: is[field], wanted: typed[field] };
    changes.push(change);
    if (!isSame(field, is[field], was[field])) clashes.push(change);
  }
  return { fields, changes, clashes };
}

/** Of a template: whatever its spaces, which browsers change. */
function isSame(field: Field, a: string, b: string): boolean {
  return field === "submits" ? compact(a) === compact(b) : a.trim() === b.trim();
}

function compact(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return json.trim();
  }
}

/** The settings that these fields stand for. */
export function settingsAt(
  changes: readonly FieldChange[],
  settings: ScheduleSettings,
): Partial<ScheduleSettings> {
  const keys = changes.flatMap(({ field }): (keyof ScheduleSettings)[] =>
    field === "submits" ? ["job", "workflow"] : [field],
  );
  return Object.fromEntries(keys.map((key) => [key, settings[key]]));
}

/** As the form was printed; null where it does not say. */
export function wasIn(form: URLSearchParams): ScheduleFields | null {
  let told: unknown;
  try {
    told = JSON.parse(form.get("was") ?? "");
  } catch {
    return null;
  }
  const isWhole = (FIELDS as readonly string[]).every(
    (field) => typeof (told as Record<string, unknown> | null)?.[field] === "string",
  );
  return isWhole ? (told as ScheduleFields) : null;
}

const VALUE_MAX = 200;

/** Said where somebody else has changed the same. */
export function clashSentence({ field, label, is, wanted }: FieldChange): string {
  const how = "Save once more to put yours in its place, or write what is right.";
  if (field === "submits")
    return `${label} was changed by somebody else meanwhile: it is shown below. ${how}`;
  const [theirs, yours] = [is, wanted].map((text) => `"${text.slice(0, VALUE_MAX)}"`);
  return `${label} was changed by somebody else meanwhile: it is ${theirs} by now, and you wrote ${yours}. ${how}`;
}
