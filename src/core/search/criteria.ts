/**
 * What a search asks, made ready for the database: ages are times, either-or is grouped, organizations
 * are resolved. Plain data, so that an operation can keep it and ask the same until it is done. Pure.
 */
import { canRetry, isFinal, isLeased, JOB_STATES, type JobState } from "../job_state.ts";
import type { OrgFilter } from "../scope.ts";
import { isEither, type Key } from "./keys.ts";
import { momentRange, type Range } from "./moment.ts";
import type { NameTerm, Term } from "./term.ts";

export interface NamedTest {
  on: "queue" | "name" | "worker" | "workflow";
  is: string;
  glob: boolean;
}
export interface TagTest {
  on: "tag";
  name: string;
  value: string | null;
}
/** From `from` on, up to and not including `to`. */
export interface RangeTest extends Range {
  on: "created" | "ended" | "priority" | "attempts";
}
export interface TextTest {
  on: "error" | "payload" | "word";
  has: string;
}
/** One question of a job. */
export type Test =
  | { on: "state"; is: JobState }
  | { on: "id"; is: string }
  | NamedTest
  | TagTest
  | RangeTest
  | TextTest;

/** One of these must hold; where it is `not`, none may. */
export interface Criterion {
  not: boolean;
  any: Test[];
}

export interface Criteria {
  /** All must hold. */
  all: Criterion[];
}

export function criteriaOf(terms: readonly Term[], now: number): Criteria {
  const all: Criterion[] = [];
  const either = new Map<string, Criterion>();
  for (const term of terms) {
    const test = testOf(term, now);
    if (test === null) continue;
    const isGrouped = !term.negated && term.key !== "word" && isEither(term.key as Key);
    const group = isGrouped ? either.get(term.key) : undefined;
    if (group) {
      group.any.push(test);
      continue;
    }
    const criterion = { not: term.negated, any: [test] };
    all.push(criterion);
    if (isGrouped) either.set(term.key, criterion);
  }
  return { all };
}

function testOf(term: Term, now: number): Test | null {
  switch (term.key) {
    case "org":
      return null;
    case "state":
    case "id":
      return { on: term.key, is: term.value } as Test;
    case "tag":
      return { on: "tag", name: term.name, value: term.value };
    case "created":
    case "ended":
      return { on: term.key, ...momentRange(term.comparison, term.at, now) };
    case "priority":
    case "attempts":
      return { on: term.key, ...numbersOf(term) };
    case "error":
    case "payload":
    case "word":
      return { on: term.key, has: term.value };
    default:
      return { on: term.key, is: term.value, glob: term.glob };
  }
}

function numbersOf({ comparison, value }: { comparison: string; value: number }): Range {
  switch (comparison) {
    case ">":
      return { from: value + 1, to: null };
    case ">=":
      return { from: value, to: null };
    case "<":
      return { from: null, to: value };
    case "<=":
      return { from: null, to: value + 1 };
    default:
      return { from: value, to: value + 1 };
  }
}

/** Organizations by id and name, as far as somebody sees them. */
export interface NamedOrg {
  id: number;
  name: string;
}

/** Those of `seen` that the terms speak of; `all` where they leave out none. One never heard of is none. */
export function askedOrgIds(
  terms: readonly Term[],
  seen: OrgFilter,
  named: Iterable<NamedOrg>,
): OrgFilter {
  const asked = terms.filter((term): term is NameTerm => term.key === "org");
  if (asked.length === 0) return seen;
  const wanted = asked.filter((term) => !term.negated);
  const unwanted = asked.filter((term) => term.negated);
  const ids: number[] = [];
  for (const { id, name } of named) {
    if (seen !== "all" && !seen.includes(id)) continue;
    if (wanted.length > 0 && !wanted.some((term) => isNamed(term, name))) continue;
    if (!unwanted.some((term) => isNamed(term, name))) ids.push(id);
  }
  return ids;
}

/** Part by part from the left: a pattern of stars must not take longer than the text is long. */
export function isNamed({ value, glob }: Pick<NameTerm, "value" | "glob">, name: string): boolean {
  if (!glob) return name === value;
  const [first = "", ...rest] = value.split("*");
  const last = rest.pop() ?? "";
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

/** The states that are left; null: any. */
export function statesOf({ all }: Criteria): readonly JobState[] | null {
  const asked = all.find(({ not, any }) => !not && (any[0]?.on ?? "state") === "state");
  return asked ? asked.any.map((test) => (test as { is: JobState }).is) : null;
}

/** Only jobs on workers: as many as there are busy slots. */
export function asksLeasedOnly(criteria: Criteria): boolean {
  return statesOf(criteria)?.every(isLeased) ?? false;
}

/** Only jobs that have not ended. */
export function asksLiveOnly(criteria: Criteria): boolean {
  return statesOf(criteria)?.every((state) => !isFinal(state)) ?? false;
}

/** With only such jobs as can be cancelled (that live) or retried (that ended badly). */
export function forAction(kind: "cancel" | "retry", criteria: Criteria): Criteria {
  const may = JOB_STATES.filter((state) => (kind === "cancel" ? !isFinal(state) : canRetry(state)));
  // Of what ended badly, failures alone, unless others are named.
  const asked = statesOf(criteria) ?? (kind === "retry" ? ["failed"] : may);
  const states = may.filter((state) => asked.includes(state));
  const others = criteria.all.filter(({ not, any }) => not || any[0]?.on !== "state");
  return { all: [{ not: false, any: states.map((is) => ({ on: "state", is })) }, ...others] };
}

/** When the oldest job that can match was made, epoch milliseconds. */
export function createdRange({ all }: Criteria): Range {
  const range: Range = { from: null, to: null };
  for (const { not, any } of all) {
    const [test] = any;
    if (not || test?.on !== "created") continue;
    const { from, to } = test;
    if (from !== null) range.from = Math.max(range.from ?? 0, from);
    if (to !== null) range.to = Math.min(range.to ?? to, to);
  }
  return range;
}
