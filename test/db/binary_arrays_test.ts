/** Arrays in binary mean to PostgreSQL what their literals mean, and what does not fit is a literal. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { BinaryArray } from "../../src/db/binary_arrays.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { ARRAY_CASTS, type ColumnKind, encodeColumn } from "../../src/db/row_source.ts";
import { emptyDatabase } from "../support/database.ts";

const INT_MAX = 2 ** 31 - 1;
const uuid = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.constantFrom(
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "01234567-89ab-CDEF-0123-456789abcdef",
  ),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }).map((value) => value.replaceAll("\0", "")),
  fc.constantFrom(
    "",
    "NULL",
    "null",
    '"',
    "\\",
    "{a,b}",
    " ",
    "é".repeat(49),
    "🙂",
    "x🙂".repeat(99),
  ),
);

const VALUES: [ColumnKind, fc.Arbitrary<unknown>][] = [
  [
    "smallint",
    fc.oneof(fc.integer({ min: -32_768, max: 32_767 }), fc.constantFrom(-32_768, 32_767)),
  ],
  ["int", fc.oneof(fc.integer(), fc.constantFrom(-INT_MAX - 1, INT_MAX, 0, -1))],
  [
    "bigint",
    fc.oneof(
      fc.maxSafeInteger(),
      fc.constantFrom(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 2 ** 32, -(2 ** 32), -1),
    ),
  ],
  ["real", fc.oneof(fc.float(), fc.constantFrom(12.345, 3.4e38, 1e-45, Infinity, -Infinity, NaN))],
  ["float8", fc.oneof(fc.double(), fc.constantFrom(0.1, 5e-324, 1.7e308, -Infinity, NaN))],
  ["seconds", fc.double({ min: 0, max: 4e12, noNaN: true })],
  ["boolean", fc.boolean()],
  ["uuid", uuid],
  ["text", text],
  ["json", fc.jsonValue()],
];

const MISFITS: [ColumnKind, unknown[]][] = [
  ["smallint", [32_768, -32_769, 0.5, NaN, "1,"]],
  ["int", [2 ** 31, -(2 ** 31) - 1, 1.5, NaN, Infinity]],
  ["bigint", [2 ** 64, 0.5, NaN]],
  ["real", [1e39, -1e39, 1e-60]],
  ["float8", ["x"]],
  ["boolean", [2, "perhaps"]],
  [
    "uuid",
    [
      "0",
      "g1234567-89ab-cdef-0123-456789abcdef",
      "01234567-89ab-cdef-0123-456789abcde-",
      "01234567889ab-cdef-0123-456789abcdef",
      "01234567-89ab-cdef-0123-456789abcde\u0130",
    ],
  ],
  ["text", ["a\0b"]],
];

describe("arrays in binary", () => {
  let database: Database;
  let drop: () => Promise<void>;
  before(async () => {
    const made = await emptyDatabase();
    drop = made.drop;
    database = await connect(made.url);
  });
  after(async () => {
    await database.close();
    await drop();
  });

  const ask = async (expression: string, params: unknown[]) => {
    const [row] = await database.ends.unsafe(`select ${expression} as said`, params as never[], {
      prepare: true,
    });
    return row!.said;
  };

  for (const [kind, value] of VALUES) {
    const type = `${ARRAY_CASTS[kind]}[]`;
    test(`of ${kind} are what their literals are`, async () => {
      const nothing = fc.constantFrom(null, undefined);
      const values = fc.oneof(fc.array(value), fc.array(fc.oneof(value, nothing)));
      const alike = async (some: unknown[]) => {
        const sent = encodeColumn(kind, some);
        assert.equal(sent instanceof BinaryArray, some.length > 0);
        const same = `$1::${type} is not distinct from $2::text::${type}`;
        assert.equal(await ask(same, [sent, String(sent)]), true);
      };
      await alike([null]);
      await alike([undefined, undefined]);
      await fc.assert(fc.asyncProperty(values, alike), { numRuns: 40 });
    });
  }

  test("are read by place, and in any type of theirs", async () => {
    assert.equal(await ask("($1::text[])[2]", [encodeColumn("text", [null, "🙂", "c"])]), "🙂");
    assert.equal(await ask("($1::bigint[])[1]", [encodeColumn("bigint", [-5e12])]), -5e12);
    assert.equal(await ask("$1::real[]::text", [encodeColumn("real", [-0, 0.1])]), "{-0,0.1}");
  });

  for (const [kind, values] of MISFITS) {
    test(`of ${kind} are refused by PostgreSQL where a value does not fit`, async () => {
      for (const value of values) {
        const refused = ask(`$1::${ARRAY_CASTS[kind]}[]`, [encodeColumn(kind, [value])]);
        await assert.rejects(refused, (error: { code?: string }) => /^22/.test(error.code ?? ""));
      }
    });
  }
});
