/** A schedule as a form has it, and what the form makes of it. */
import { clipText } from "../../core/storable.ts";
import {
  type ParsedScheduleInput,
  type ScheduleSettings,
  scheduleInput,
} from "../../messages/schedule_input.ts";

const WORDS = [
  ...["name", "cron", "time_zone", "overlap", "catch_up", "catch_up_max", "jitter_seconds"],
  ...["description", "vendor_type", "vendor_id"],
] as const;
type Word = (typeof WORDS)[number];
const WORD_MAX = 2_000;
const REASON_MAX = 200;
/** What is longer is changed by the API, or by a file. */
export const SUBMITS_MAX = 12_000;
/** As a form sends it: twice (as it was, and as it is to be), and each character may be nine. */
export const FORM_MAX_BYTES = 256 * 1024;

export type Field = Word | "submits";
export const FIELDS: readonly Field[] = [...WORDS, "submits"];
export type ScheduleFields = Record<Field, string>;

const EXAMPLE = {
  job: { name: "nightly-report", queue: "default", kind: "exec", payload: { command: ["true"] } },
};

export const NEW_FIELDS: ScheduleFields = {
  ...{ name: "", cron: "0 3 * * *", time_zone: "UTC", overlap: "skip", catch_up: "last" },
  ...{ catch_up_max: "10", jitter_seconds: "0", description: "", vendor_type: "", vendor_id: "" },
  submits: JSON.stringify(EXAMPLE, null, 2),
};

export function scheduleFields(settings: ScheduleSettings): ScheduleFields {
  const { job, workflow } = settings;
  const words = WORDS.map((word) => [word, String(settings[word as keyof ScheduleSettings] ?? "")]);
  const submits = JSON.stringify(job === null ? { workflow } : { job }, null, 2);
  return { ...Object.fromEntries(words), submits } as ScheduleFields;
}

export function fieldsIn(form: URLSearchParams): ScheduleFields {
  const words = WORDS.map((word: Word) => [
    word,
    clipText((form.get(word) ?? "").trim(), WORD_MAX),
  ]);
  const submits = (form.get("submits") ?? "").slice(0, SUBMITS_MAX);
  return { ...Object.fromEntries(words), submits } as ScheduleFields;
}

export function reasonIn(form: URLSearchParams): string | undefined {
  return clipText((form.get("reason") ?? "").trim(), REASON_MAX) || undefined;
}

/** What is wrong is said by field, in sentences. */
export function parseSchedule(
  fields: ScheduleFields,
): { input: ParsedScheduleInput; problems: null } | { input: null; problems: string[] } {
  const submits = submitsIn(fields.submits);
  if (typeof submits === "string") return { input: null, problems: [submits] };
  const { submits: _, vendor_type, vendor_id, catch_up_max, jitter_seconds, ...words } = fields;
  const parsed = scheduleInput.safeParse({
    ...{ ...words, ...submits },
    ...{ catch_up_max: Number(catch_up_max), jitter_seconds: Number(jitter_seconds) },
    ...{ vendor_type: vendor_type || null, vendor_id: vendor_id || null },
  });
  if (parsed.success) return { input: parsed.data, problems: null };
  return { input: null, problems: parsed.error.issues.map(issueSentence) };
}

export function issueSentence({ path, message }: { path: PropertyKey[]; message: string }): string {
  return `${path.join(".").replaceAll("_", " ")}: ${message}`;
}

function submitsIn(text: string): { job?: unknown; workflow?: unknown } | string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    return `What it submits is no JSON: ${(error as Error).message}.`;
  }
  const keys = found !== null && typeof found === "object" ? Object.keys(found) : [];
  if (keys.length === 1 && ["job", "workflow"].includes(keys[0]!)) return found as object;
  return 'What it submits is {"job": …} or {"workflow": …}, as in POST /api/v1/orgs/{org}/schedules.';
}
