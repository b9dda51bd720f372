/**
 * PostgreSQL array literals, written by hand: the driver's own serializer costs a function call
 * and an escape per element, and beats send thousands of elements.
 */

/** Values that need no quoting: numbers, uuids, enum words, booleans; null and undefined are NULL. */
export function plainArray(values: readonly (string | number | boolean | null | undefined)[]) {
  let out = "{";
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) out += ",";
    out += value === null || value === undefined ? "NULL" : value;
  }
  return `${out}}`;
}

const NEEDS_ESCAPE = /["\\]/;

/** Any text; null and undefined are NULL. */
export function textArray(values: readonly (string | null | undefined)[]): string {
  let out = "{";
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) out += ",";
    if (value === null || value === undefined) out += "NULL";
    else if (NEEDS_ESCAPE.test(value)) out += `"${value.replace(/["\\]/g, "\\$&")}"`;
    else out += `"${value}"`;
  }
  return `${out}}`;
}

/** JSON values as text, for `::json[]`; undefined is NULL, null is JSON null. */
export function jsonArray(values: readonly unknown[]): string {
  return textArray(values.map((v) => (v === undefined ? null : JSON.stringify(v))));
}

/** The numbers of an array literal without nulls; none for null. */
export function numbers(literal: string | null | undefined): number[] {
  return words(literal).map(Number);
}

/** The elements of an array literal that needed no quotes, such as uuids; none for null. */
export function words(literal: string | null | undefined): string[] {
  return literal && literal.length > 2 ? literal.slice(1, -1).split(",") : [];
}

/** The booleans of an array literal without nulls; none for null. */
export function truths(literal: string | null | undefined): boolean[] {
  return words(literal).map((word) => word === "t");
}

/** Epoch milliseconds as seconds, for `to_timestamp`. */
export function secondsArray(values: readonly (number | null | undefined)[]): string {
  return plainArray(values.map((v) => (v === null || v === undefined ? null : v / 1000)));
}
