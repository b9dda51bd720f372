/**
 * Rows of ours as a table in SQL: `unnest($1::uuid[], …) as name(column, …)`. The text is built once
 * per statement, so it stays one prepared statement; only the arrays change (engine rule 4).
 */
import { jsonArray, plainArray, secondsArray, textArray } from "./arrays.ts";
import {
  type BinaryArray,
  BOOL,
  binaryArray,
  type Element,
  FLOAT4,
  FLOAT8,
  INT2,
  INT4,
  INT8,
  SECONDS,
  TEXT,
  UUID,
} from "./binary_arrays.ts";

/** How a column travels: `seconds` takes epoch milliseconds and arrives as float8 seconds. */
export type ColumnKind =
  | "uuid"
  | "int"
  | "bigint"
  | "smallint"
  | "real"
  | "float8"
  | "boolean"
  | "text"
  | "json"
  | "seconds"
  | "job_state"
  | "waiting_for"
  | "outcome"
  | "job_kind";

export type Column<T> = readonly [name: string, kind: ColumnKind, value: (row: T) => unknown];

export interface RowSource<T> {
  /** `unnest(…) as alias(…)`, for a `from` clause. */
  sql: string;
  /** The next free parameter number. */
  next: number;
  params(rows: readonly T[]): ArrayParameter[];
}

/** The element type that each kind is sent as. */
export const ARRAY_CASTS: Record<ColumnKind, string> = {
  uuid: "uuid",
  int: "int",
  bigint: "bigint",
  smallint: "smallint",
  real: "real",
  float8: "float8",
  boolean: "boolean",
  text: "text",
  json: "text",
  seconds: "float8",
  job_state: "job_state",
  waiting_for: "waiting_for",
  outcome: "outcome",
  job_kind: "job_kind",
};

/** Columns of kind `json` and nested arrays arrive as text: cast them where they are used. */
export function rowSource<T>(
  alias: string,
  columns: readonly Column<T>[],
  first = 1,
): RowSource<T> {
  const casts = columns.map(([, kind], i) => `$${first + i}::${ARRAY_CASTS[kind]}[]`).join(", ");
  const names = columns.map(([name]) => name).join(", ");
  return {
    sql: `unnest(${casts}) as ${alias}(${names})`,
    next: first + columns.length,
    params: (rows) => columns.map(([, kind, value]) => encodeColumn(kind, rows.map(value))),
  };
}

/** Of an enum only its database knows the type: these stay literals. */
const ELEMENTS: Partial<Record<ColumnKind, Element>> = {
  uuid: UUID,
  int: INT4,
  bigint: INT8,
  smallint: INT2,
  real: FLOAT4,
  float8: FLOAT8,
  boolean: BOOL,
  text: TEXT,
  json: TEXT,
  seconds: SECONDS,
};

export type ArrayParameter = BinaryArray | string;

/** One column, as it is sent. Of kind `json`, undefined is NULL and null is JSON null. */
export function encodeColumn(kind: ColumnKind, values: readonly unknown[]): ArrayParameter {
  const element = ELEMENTS[kind];
  const literal = () => literalOf(kind, values);
  if (element === undefined) return literal();
  return binaryArray(element, kind === "json" ? values.map(jsonText) : values, literal);
}

function jsonText(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function literalOf(kind: ColumnKind, values: readonly unknown[]): string {
  if (kind === "text") return textArray(values as (string | null | undefined)[]);
  if (kind === "json") return jsonArray(values);
  if (kind === "seconds") return secondsArray(values as (number | null | undefined)[]);
  return plainArray(values as (string | number | boolean | null | undefined)[]);
}

/** A list as the text of an array, for a column that is an array itself; empty is null. */
export function nested(values: readonly (string | number)[] | null | undefined): string | null {
  return values && values.length > 0 ? plainArray(values) : null;
}
