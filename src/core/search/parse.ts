/** What was typed into a search → what it asks, with a sentence for each part that asks nothing. Pure. */
import { JOB_STATES, type JobState } from "../job_state.ts";
import { cleanText } from "../storable.ts";
import { COMPARISONS, type Comparison, isKey, KEY_NAMES, type Key, kindOf } from "./keys.ts";
import { momentProblem } from "./moment.ts";
import type { NameTerm, NumberTerm, TagTerm, Term, TextTerm, TimeTerm } from "./term.ts";
import { restOf, type Token, tokensOf, unquotedIndex } from "./token.ts";

export interface Parsed {
  terms: Term[];
  problems: string[];
}

export interface ParseOptions {
  /** What looks like an unknown key is a word, as it was before there were keys. */
  lenient?: boolean;
}

/** Each term is a condition in a statement. */
export const TERMS_MAX = 100;
const KEY_LIKE = /^[A-Za-z][A-Za-z_]*$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function parseSearch(typed: string, { lenient = false }: ParseOptions = {}): Parsed {
  const terms: Term[] = [];
  const problems: string[] = [];
  const tokens = tokensOf(cleanText(typed));
  if (tokens.at(-1)?.isOpen) problems.push("A quote is opened and not closed.");
  if (tokens.length > TERMS_MAX) {
    problems.push(`${tokens.length} conditions are too many: at most ${TERMS_MAX} can be asked.`);
  }
  for (const token of tokens.slice(0, TERMS_MAX)) {
    const term = termOf(token, lenient);
    if (typeof term !== "string") terms.push(term);
    else if (term !== "") problems.push(term);
  }
  return { terms, problems };
}

/** A term, a sentence that says why it is none, or nothing. */
function termOf(whole: Token, lenient: boolean): Term | string {
  const negated = whole.text.length > 1 && whole.text[0] === "-" && !whole.quoted[0];
  const token = negated ? restOf(whole, 1) : whole;
  const colon = unquotedIndex(token, ":");
  const before = colon < 0 ? "" : token.text.slice(0, colon);
  const isKeyed = KEY_LIKE.test(before) && !token.quoted.slice(0, colon).includes(true);
  const key = before.toLowerCase();
  if (!isKeyed || (lenient && !isKey(key))) {
    return token.text === "" ? "" : { key: "word", negated, value: token.text };
  }
  if (!isKey(key)) {
    return (
      `There is no key \`${before}\`; keys are ${KEY_NAMES.join(", ")}. ` +
      "To look for the text itself, put it in quotes."
    );
  }
  const value = restOf(token, colon + 1);
  if (value.text === "") return `\`${key}:\` lacks its value.`;
  const read = readValue(key, value);
  return typeof read === "string" ? read : ({ key, negated, ...read } as Term);
}

type Read<T extends Term> = Omit<T, "key" | "negated"> | string;

function readValue(key: Key, value: Token): Read<Term> {
  switch (kindOf(key)) {
    case "state":
      return stateValue(value.text);
    case "name":
      return { value: value.text, glob: unquotedIndex(value, "*") >= 0 } as Read<NameTerm>;
    case "id":
      return idValue(value.text);
    case "tag":
      return tagValue(value);
    case "time":
      return timeValue(value);
    case "number":
      return numberValue(key, value);
    case "text":
      return { value: value.text } as Read<TextTerm>;
  }
}

function stateValue(text: string): Read<Term> {
  const state = text.toLowerCase().replaceAll("-", "_");
  if ((JOB_STATES as readonly string[]).includes(state)) {
    return { value: state as JobState } as Read<Term>;
  }
  return `There is no state “${text}”; states are ${JOB_STATES.join(", ")}.`;
}

function idValue(text: string): Read<Term> {
  const id = text.toLowerCase();
  if (UUID.test(id)) return { value: id } as Read<Term>;
  return `“${text}” is no whole id. Without \`id:\` the beginning of one is enough.`;
}

function tagValue(value: Token): Read<TagTerm> {
  const equals = unquotedIndex(value, "=");
  if (equals === 0) return "A tag has a key: write `tag:KEY=VALUE`.";
  if (equals < 0) return { name: value.text, value: null };
  return { name: value.text.slice(0, equals), value: value.text.slice(equals + 1) };
}

function timeValue(value: Token): Read<TimeTerm> {
  const { comparison, rest } = comparisonOf(value);
  const at = rest.toUpperCase().replace(/^(\d+)([SMHDW])$/, (all) => all.toLowerCase());
  return momentProblem(comparison, at) ?? { comparison, at };
}

function numberValue(key: Key, value: Token): Read<NumberTerm> {
  const { comparison, rest } = comparisonOf(value);
  if (/^[+-]?\d{1,6}$/.test(rest)) return { comparison, value: Number(rest) + 0 };
  return `\`${key}:\` takes a whole number, such as \`${key}:>1\`; “${rest}” is none.`;
}

/** Outside quotes, at the beginning; equal where none is written. */
function comparisonOf(value: Token): { comparison: Comparison; rest: string } {
  const written = COMPARISONS.find((sign) => value.text.startsWith(sign) && !value.quoted[0]);
  return { comparison: written ?? "=", rest: value.text.slice(written?.length ?? 0) };
}
