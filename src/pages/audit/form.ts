/** The page's filters, as they stand in its address and in its form. Pure. */
import type { OrgFilter } from "../../core/scope.ts";
import { clipText } from "../../core/storable.ts";
import { type AuditFilter, parseInstant } from "../../web/audit/filter.ts";

/** Named as in the API, so that an export takes the same query. */
export const FIELDS = [
  ...(["org", "actor", "action", "object_kind", "object_id", "from", "to"] as const),
];
export type AuditForm = Record<(typeof FIELDS)[number], string>;

const TEXT_MAX = 256;

export function parseForm(params: URLSearchParams): AuditForm {
  const text = (key: string) => clipText((params.get(key) ?? "").trim(), TEXT_MAX);
  return Object.fromEntries(FIELDS.map((key) => [key, text(key)])) as AuditForm;
}

/** The form in a URL, in one order; empty where nothing is filtered. */
export function formQuery(form: AuditForm, changes: Partial<AuditForm> = {}): string {
  const params = new URLSearchParams();
  for (const key of FIELDS) {
    const value = changes[key] ?? form[key];
    if (value !== "") params.set(key, value);
  }
  return params.toString();
}

export function isFiltered(form: AuditForm): boolean {
  return formQuery(form) !== "";
}

/** Times that are none, as sentences: a bound that is left out in silence shows what nobody asked for. */
export function problemsOf(form: AuditForm): string[] {
  return (["from", "to"] as const)
    .filter((key) => form[key] !== "" && parseInstant(form[key]) === null)
    .map((key) => `“${form[key]}” is no time. Write ${key} like 2026-11-21T14:02, in UTC.`);
}

export function filterOf(form: AuditForm, orgs: OrgFilter): AuditFilter {
  const { actor, action } = form;
  return {
    orgs,
    actor,
    action,
    objectKind: form.object_kind,
    objectId: form.object_id,
    from: form.from === "" ? null : parseInstant(form.from),
    to: form.to === "" ? null : parseInstant(form.to),
  };
}

/** For the API, which takes whole times only, and for the fields, which take minutes. */
export function exportQuery(form: AuditForm): string {
  const iso = (text: string) => {
    const at = parseInstant(text);
    return at === null ? "" : new Date(at).toISOString();
  };
  return formQuery(form, { from: iso(form.from), to: iso(form.to) });
}

export function fieldValue(text: string): string {
  const at = parseInstant(text);
  return at === null ? "" : new Date(at).toISOString().slice(0, 16);
}
