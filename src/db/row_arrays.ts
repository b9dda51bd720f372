/**
 * Rows of ours for a hot statement: one array a column, read by place, `($3::uuid[])[i]`. An element
 * of fixed width is found at once; unnesting two dozen arrays copied every row several times, and
 * cost more than the writes (`bench/statements.ts`). A column without any value is sent as null.
 *
 * With nulls or texts in a column, finding an element walks the array: keep to `ROWS_MAX` rows.
 */
import { ARRAY_CASTS, type ArrayParameter, type Column, encodeColumn } from "./row_source.ts";

/** Rows a statement; callers with more go in turns. */
export const ROWS_MAX = 1_000;

export interface RowArrays<T> {
  /** The value of column `name` in row `place` (an int expression), counted from 1. */
  at(name: string, place?: string): string;
  /** The whole column, as an array expression. */
  all(name: string): string;
  /** The place of an id, of which it is known that it is among those of column `id`, which is sorted. */
  place(id: string): string;
  /** The next free parameter number. */
  next: number;
  /** `rows` sorted by their id, where `place` is used. */
  params(rows: readonly T[]): (ArrayParameter | null)[];
}

export function rowArrays<T>(columns: readonly Column<T>[], first = 1): RowArrays<T> {
  const places = new Map(columns.map(([name], i) => [name, i]));
  const all = (name: string) => {
    const at = places.get(name);
    if (at === undefined) throw new Error(`no column ${name}`);
    return `$${first + at}::${ARRAY_CASTS[columns[at]![1]]}[]`;
  };
  return {
    all,
    at: (name, place = "i") => `(${all(name)})[${place}]`,
    place: (id) => placeAmong(all("id"), id),
    next: first + columns.length,
    params: (rows) =>
      columns.map(([, kind, value]) => {
        const values = rows.map(value);
        return values.every(isNothing) ? null : encodeColumn(kind, values);
      }),
  };
}

/** The place of a value in a sorted array that holds it, in SQL: by halving, where a search would walk. */
export function placeAmong(sorted: string, value: string): string {
  return `width_bucket(${value}, ${sorted})`;
}

/** Rows in the order of their ids, as `place` needs them. */
export function byId<T>(rows: readonly T[], id: (row: T) => string): T[] {
  return [...rows].sort((a, b) => (id(a) < id(b) ? -1 : 1));
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

/** A list of distinct values, and the place of each in it, counted from 1; null has place 0. */
export class Places<T extends string | number> {
  readonly values: T[];
  readonly #places = new Map<T, number>();

  constructor(values: T[] = []) {
    this.values = values;
    for (let at = 0; at < values.length; at++) this.#places.set(values[at]!, at + 1);
  }

  get(value: T): number | undefined {
    return this.#places.get(value);
  }

  of(value: T | null): number {
    if (value === null) return 0;
    let place = this.#places.get(value);
    if (place === undefined) {
      place = this.values.push(value);
      this.#places.set(value, place);
    }
    return place;
  }
}

/** Runs `write` for at most `ROWS_MAX` rows at a time, one after another. */
export async function inTurns<T, R>(rows: T[], write: (some: T[]) => Promise<R[]>): Promise<R[]> {
  if (rows.length <= ROWS_MAX) return rows.length === 0 ? [] : await write(rows);
  const done: R[] = [];
  for (let at = 0; at < rows.length; at += ROWS_MAX) {
    done.push(...(await write(rows.slice(at, at + ROWS_MAX))));
  }
  return done;
}
