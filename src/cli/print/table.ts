/** Tables without lines: a column stays a column for `awk`, and nothing is wider than the screen. */
import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import type { Paint } from "./colour.ts";

export interface Column<Row> {
  title: string;
  value: (row: Row) => string;
  align?: "left" | "right";
  /** May become narrower than its text, down to so many characters. Others never do. */
  shrinkTo?: number;
}

const GAP = 2;
const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

/** The table with a heading, without a line break at its end. `width` undefined: as wide as it is. */
export function renderTable<Row>(
  columns: Column<Row>[],
  rows: readonly Row[],
  width: number | undefined,
  paint: Paint,
): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const natural = columns.map((column, n) =>
    Math.max(column.title.length, ...cells.map((row) => visible(row[n] as string))),
  );
  const widths = fitWidths(natural, columns, width);
  const table = new Table({
    chars: NO_LINES,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [] },
    head: columns.map((column) => paint("dim", column.title)),
    colWidths: widths.map((each) => each + GAP),
    colAligns: columns.map((column) => column.align ?? "left"),
    truncate: "…",
  });
  table.push(...cells);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Takes what is missing from the widest column that may shrink, one character at a time. */
export function fitWidths(
  natural: readonly number[],
  columns: readonly { shrinkTo?: number }[],
  width: number | undefined,
): number[] {
  const widths = [...natural];
  if (width === undefined) return widths;
  const total = () => widths.reduce((sum, each) => sum + each + GAP, -GAP);
  while (total() > width) {
    let widest = -1;
    for (const [n, column] of columns.entries()) {
      const may = column.shrinkTo !== undefined && (widths[n] as number) > column.shrinkTo;
      if (may && (widest < 0 || (widths[n] as number) > (widths[widest] as number))) widest = n;
    }
    if (widest < 0) return widths;
    (widths[widest] as number)--;
  }
  return widths;
}

function visible(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** `name   value` lines, the values in one column. Pairs without a value are left out. */
export function renderFacts(
  facts: readonly [string, string | undefined][],
  paint: Paint,
  indent = "",
): string {
  const shown = facts.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const widest = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${indent}${paint("dim", name.padEnd(widest))}  ${value}`)
    .join("\n");
}
