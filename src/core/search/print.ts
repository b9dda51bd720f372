/** A search as text, in one spelling: what it is read as again is the same search. Pure. */
import type { Term } from "./term.ts";

export function printSearch(terms: readonly Term[]): string {
  return terms.map(printTerm).join(" ");
}

export function printTerm(term: Term): string {
  return `${term.negated ? "-" : ""}${body(term)}`;
}

function body(term: Term): string {
  switch (term.key) {
    case "word":
      return word(term.value);
    case "tag":
      return `tag:${tagText(term.name, term.value)}`;
    case "created":
    case "ended":
      return `${term.key}:${sign(term.comparison)}${term.at}`;
    case "priority":
    case "attempts":
      return `${term.key}:${sign(term.comparison)}${term.value}`;
    case "state":
    case "id":
      return `${term.key}:${term.value}`;
    case "error":
    case "payload":
      return `${term.key}:${quoted(term.value)}`;
    default:
      return `${term.key}:${term.glob ? globText(term.value) : name(term.value)}`;
  }
}

function sign(comparison: string): string {
  return comparison === "=" ? "" : comparison;
}

/** Always in quotes, so that a reader sees where the text ends. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function name(text: string): string {
  return /["\s*]/.test(text) ? quoted(text) : text;
}

/** The stars stay outside the quotes: within them they would be stars. */
function globText(text: string): string {
  const plain = (part: string) => (/["\s]/.test(part) ? quoted(part) : part);
  return text.split("*").map(plain).join("*");
}

function tagText(key: string, value: string | null): string {
  const first = /["\s=]/.test(key) ? quoted(key) : key;
  if (value === null) return first;
  return `${first}=${/["\s]/.test(value) ? quoted(value) : value}`;
}

function word(text: string): string {
  const looksKeyed = /^-?[A-Za-z][A-Za-z_]*:/.test(text);
  return looksKeyed || /["\s]/.test(text) || text.startsWith("-") ? quoted(text) : text;
}
