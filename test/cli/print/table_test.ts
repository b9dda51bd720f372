import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { createPaint } from "../../../src/cli/print/colour.ts";
import { type Column, fitWidths, renderFacts, renderTable } from "../../../src/cli/print/table.ts";

interface Row {
  id: string;
  name: string;
  n: string;
}

const columns: Column<Row>[] = [
  { title: "ID", value: (row) => row.id },
  { title: "NAME", value: (row) => row.name, shrinkTo: 6 },
  { title: "N", value: (row) => row.n, align: "right" },
];
const plain = createPaint(false);

describe("a table", () => {
  test("has straight columns, numbers on the right, and nothing behind its lines", () => {
    const rows = [
      { id: "a1", name: "short", n: "7" },
      { id: "a2", name: "somewhat longer", n: "1,234" },
    ];
    assert.equal(
      renderTable(columns, rows, undefined, plain),
      [
        "ID  NAME                 N",
        "a1  short                7",
        "a2  somewhat longer  1,234",
      ].join("\n"),
    );
  });

  test("is as wide as the terminal at most, giving up what may shrink", () => {
    const rows = [{ id: "a1", name: "somewhat longer than it should", n: "1" }];
    const text = renderTable(columns, rows, 20, plain);
    assert.equal(text, "ID  NAME           N\na1  somewhat lon…  1");
    for (const line of text.split("\n")) assert.ok([...line].length <= 20, line);
  });

  test("keeps ids whole, however narrow it must be", () => {
    const id = "0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e";
    const text = renderTable(columns, [{ id, name: "a name", n: "1" }], 10, plain);
    assert.ok(text.includes(id));
  });

  test("colours cells without bending columns", () => {
    const paint = createPaint(true);
    const coloured: Column<Row>[] = columns.map((column) => ({
      ...column,
      value: (row) => paint("red", column.value(row)),
    }));
    const rows = [
      { id: "a1", name: "x", n: "1" },
      { id: "a2", name: "a rather long name", n: "22" },
    ];
    for (const width of [undefined, 18]) {
      const text = renderTable(coloured, rows, width, paint);
      assert.ok(text.includes("\u001b[31m"));
      assert.equal(
        stripVTControlCharacters(text).replaceAll(" \n", "\n"),
        renderTable(columns, rows, width, plain),
      );
    }
  });

  test("widths never fall below what a column allows", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ natural: fc.nat(80), shrinkTo: fc.option(fc.nat(20)) }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.nat(200),
        (list, width) => {
          const columns = list.map(({ shrinkTo }) => ({ shrinkTo: shrinkTo ?? undefined }));
          const natural = list.map((each) => each.natural);
          const widths = fitWidths(natural, columns, width);
          for (const [n, each] of widths.entries()) {
            const least = Math.min(natural[n]!, columns[n]!.shrinkTo ?? natural[n]!);
            assert.ok(each >= least && each <= natural[n]!);
          }
        },
      ),
    );
  });

  test("facts stand in two columns, absent ones not at all", () => {
    const text = renderFacts(
      [
        ["a", "1"],
        ["none", undefined],
        ["longer", "2"],
      ],
      plain,
    );
    assert.equal(text, "a       1\nlonger  2");
  });
});
