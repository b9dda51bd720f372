/** What a change changed, as words: its `before` and `after` field by field. Pure. */
import { clipText } from "../../core/storable.ts";

export interface FieldChange {
  field: string;
  /** Empty: there was none. */
  was: string;
  now: string;
  /** The same before and after: told so that the rest is understood. */
  same: boolean;
}

export interface ChangeWords {
  fields: FieldChange[];
  /** Fields that are left out. */
  more: number;
}

const FIELDS_MAX = 12;
const VALUE_MAX = 160;
const DEPTH_MAX = 3;

/** Changed fields first. `known`: fields that need no words where they did not change. */
export function changeWords(
  before: unknown,
  after: unknown,
  known: readonly string[] = [],
): ChangeWords {
  const was = flatten(before);
  const now = flatten(after);
  const all = [...new Set([...was.keys(), ...now.keys()])].map((field): FieldChange => {
    const [old, next] = [was.get(field) ?? "", now.get(field) ?? ""];
    // Said once, as the context of the rest; or there is no "before" at all, and it is news.
    return { field, was: old, now: next, same: was.has(field) && old === next };
  });
  const told = all.filter(
    ({ field, was, same }) => !known.includes(field) || (was !== "" && !same),
  );
  const sorted = [...told.filter((c) => !c.same), ...told.filter((c) => c.same)];
  // Cut only now: two long texts may differ at their ends.
  const fields = sorted.slice(0, FIELDS_MAX).map((change) => ({
    field: clip(change.field),
    was: clip(change.was),
    now: clip(change.now),
    same: change.same,
  }));
  return { fields, more: sorted.length - fields.length };
}

/** `{a: {b: 1}}` is `a.b` → `1`; a value that is no object stands for itself. */
function flatten(value: unknown): Map<string, string> {
  const out = new Map<string, string>();
  const walk = (part: unknown, path: string, depth: number) => {
    if (isObject(part) && depth < DEPTH_MAX) {
      for (const [key, inner] of Object.entries(part)) {
        walk(inner, path === "" ? key : `${path}.${key}`, depth + 1);
      }
    } else if (part !== null && part !== undefined) {
      out.set(path === "" ? "value" : path, textOf(part));
    }
  };
  walk(value, "", 0);
  return out;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function clip(text: string): string {
  return text.length > VALUE_MAX ? `${clipText(text, VALUE_MAX)}…` : text;
}
