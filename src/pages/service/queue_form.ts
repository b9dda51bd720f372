/** The form of a queue's description and limits: what somebody typed, against what they saw. Pure. */
import { clipText } from "../../core/storable.ts";
import type { FlatSettings } from "../../engine/operator/queue_settings.ts";
import { queueLimits } from "../../messages/queue_limits.ts";
import { decimal } from "../../web/format.ts";

const TEXT_MAX = 1_024;
/** In front of a field's name: what the form was printed with. */
const SEEN = "seen_";
export const FIELDS = ["description", "concurrency", "count", "seconds", "tag", "per_key"] as const;
export type QueueFields = Record<(typeof FIELDS)[number], string>;

type Setting = keyof FlatSettings;

const SETTINGS: Readonly<Record<Setting, { label: string; fields: (keyof QueueFields)[] }>> = {
  description: { label: "Description", fields: ["description"] },
  concurrency: { label: "At once, at most", fields: ["concurrency"] },
  rate: { label: "Rate", fields: ["count", "seconds"] },
  per_key: { label: "At once per key", fields: ["tag", "per_key"] },
};

export function fieldsOf({ description, concurrency, rate, per_key }: FlatSettings): QueueFields {
  const text = (value: number | undefined | null) => (value == null ? "" : String(value));
  return {
    ...{ description, concurrency: text(concurrency) },
    ...{ count: text(rate?.count), seconds: text(rate?.seconds) },
    ...{ tag: per_key?.tag ?? "", per_key: text(per_key?.concurrency) },
  };
}

/** What was asked for: only what its author changed, so that nothing else is put back as it was. */
export interface QueueEdit {
  fields: QueueFields;
  seen: QueueFields;
  changed: Setting[];
  wanted: Partial<FlatSettings>;
  /** Of `wanted`, as its author saw it before. */
  before: Partial<FlatSettings>;
  /** A sentence; the rest is not to be used then. */
  problem: string | null;
}

/** @param now how it is: stands for what the form does not say */
export function readEdit(form: URLSearchParams, now: FlatSettings): QueueEdit {
  const current = fieldsOf(now);
  const seen = eachField(
    (field) => form.get(SEEN + field)?.replaceAll("\r\n", "\n") ?? current[field],
  );
  const fields = eachField((field) => clipText((form.get(field) ?? seen[field]).trim(), TEXT_MAX));
  const changed = (Object.keys(SETTINGS) as Setting[]).filter((setting) =>
    SETTINGS[setting].fields.some((field) => isTyped(fields[field], seen[field])),
  );
  const wanted = settingsIn(fields, changed);
  const before = settingsIn(seen, changed);
  const problem = wanted.problem ?? before.problem;
  return {
    ...{ fields, seen, changed, problem },
    ...{ wanted: wanted.settings, before: before.settings },
  };
}

function eachField(textOf: (field: keyof QueueFields) => string): QueueFields {
  return Object.fromEntries(FIELDS.map((field) => [field, textOf(field)])) as QueueFields;
}

/** A browser's line has no breaks, and nobody means the blanks around it. */
function isTyped(text: string, seen: string): boolean {
  const line = (one: string) => one.replaceAll(/[\r\n]/g, "").trim();
  return line(text) !== line(seen);
}

/** What its author typed, over how it is by now. */
export function typedOver(now: FlatSettings, { fields, seen }: QueueEdit): QueueFields {
  const current = fieldsOf(now);
  return eachField((field) =>
    isTyped(fields[field], seen[field]) ? fields[field] : current[field],
  );
}

interface Parsed {
  settings: Partial<FlatSettings>;
  problem: string | null;
}

/** An empty field is no limit; half of a pair is a mistake. */
function settingsIn(fields: QueueFields, which: readonly Setting[]): Parsed {
  const wrong = (problem: string): Parsed => ({ settings: {}, problem });
  const { description, concurrency, count, seconds, tag, per_key: perKey } = fields;
  const is = (setting: Setting) => which.includes(setting);
  if (is("rate") && (count === "") !== (seconds === ""))
    return wrong("A rate is a count and the seconds that it is for: give both, or neither.");
  if (is("per_key") && (tag === "") !== (perKey === ""))
    return wrong("A limit per key is the name of a tag and a number: give both, or neither.");
  const rate = count === "" ? null : { count: Number(count), seconds: Number(seconds) };
  const per_key = tag === "" ? null : { tag, concurrency: Number(perKey) };
  const parsed = queueLimits.safeParse({
    ...(is("concurrency") ? { concurrency: concurrency === "" ? null : Number(concurrency) } : {}),
    ...(is("rate") ? { rate } : {}),
    ...(is("per_key") ? { per_key } : {}),
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return wrong(`${issue!.path.join(" ").replaceAll("_", " ")}: ${issue!.message}`);
  }
  const settings = parsed.data as Partial<FlatSettings>;
  return { settings: is("description") ? { ...settings, description } : settings, problem: null };
}

export interface SettingChange {
  label: string;
  from: string;
  to: string;
}

export function changesOf({ changed, before, wanted }: QueueEdit): SettingChange[] {
  return changed.map((setting) => ({
    label: SETTINGS[setting].label,
    from: wordsOf(setting, before),
    to: wordsOf(setting, wanted),
  }));
}

/** Why it was not saved, with what both want. */
export function collisionWords(
  { wanted, before }: QueueEdit,
  { fields, now }: { fields: readonly Setting[]; now: FlatSettings },
): string {
  const each = fields.map((setting) => {
    const [was, is, own] = [before, now, wanted].map((of) => wordsOf(setting, of));
    return `${SETTINGS[setting].label} was ${was} when you opened the form, is ${is} now, and you want ${own}.`;
  });
  return `Somebody else has changed it meanwhile, and nothing of yours is saved. ${each.join(" ")} Look at it, and save again what is to hold.`;
}

function wordsOf(setting: Setting, { description, ...limits }: Partial<FlatSettings>): string {
  const { concurrency, rate, per_key: key } = limits;
  switch (setting) {
    case "description":
      return description ? `“${description}”` : "empty";
    case "concurrency":
      return concurrency == null ? "no limit" : String(concurrency);
    case "rate":
      return rate == null ? "no limit" : `${rate.count} in ${decimal(rate.seconds, 1)} s`;
    case "per_key":
      return key == null ? "no limit" : `${key.concurrency} per ${key.tag}`;
  }
}
