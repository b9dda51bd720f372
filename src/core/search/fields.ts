/** A filter of the API, condition by condition, as the terms of a search. Pure. */
import type { JobState } from "../job_state.ts";
import { parseSearch } from "./parse.ts";
import type { Term } from "./term.ts";

export interface FilterFields {
  state?: readonly JobState[];
  queue?: string;
  name?: string;
  workflow?: string;
  worker?: string;
  tag?: Record<string, string>;
  created_after?: string;
  created_before?: string;
  /** In the language of searches; see `parseSearch`. */
  q?: string;
  /** These and no others. */
  ids?: readonly string[];
}

export function termsOf(fields: FilterFields): Term[] {
  const { state = [], tag = {}, q = "", ids = [] } = fields;
  const { created_after: after, created_before: before } = fields;
  const terms: Term[] = state.map((value) => ({ key: "state", negated: false, value }));
  for (const value of ids) terms.push({ key: "id", negated: false, value });
  for (const key of ["queue", "name", "workflow", "worker"] as const) {
    const value = fields[key];
    if (value !== undefined) terms.push({ key, negated: false, value, glob: false });
  }
  for (const [name, value] of Object.entries(tag)) {
    terms.push({ key: "tag", negated: false, name, value });
  }
  const time = (comparison: ">=" | "<", text: string): Term => {
    return { key: "created", negated: false, comparison, at: new Date(text).toISOString() };
  };
  if (after !== undefined) terms.push(time(">=", after));
  if (before !== undefined) terms.push(time("<", before));
  return [...terms, ...parseSearch(q, { lenient: true }).terms];
}

/** What is wrong with `q`, as one sentence; null where it can be asked. */
export function searchProblem(q: string): string | null {
  const { problems } = parseSearch(q, { lenient: true });
  return problems.length === 0 ? null : problems.join(" ");
}
