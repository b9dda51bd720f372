import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BinaryArray } from "../../src/db/binary_arrays.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { encodeColumn } from "../../src/db/row_source.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

describe("a pool", () => {
  let database: Database;
  let drop: () => Promise<void>;
  before(async () => {
    const made = await testDatabase();
    drop = made.drop;
    database = await connect(made.url);
  });
  after(async () => {
    await database.close();
    await drop();
  });

  test("gives its first connections away, and takes them back", async () => {
    const reserve = async () => {
      const own = await database.intake.reserve();
      const [row] = await own`select pg_backend_pid() as pid`;
      own.release();
      return row!.pid as number;
    };
    const first = await Promise.all(Array.from({ length: 9 }, reserve));
    assert.ok(new Set(first).size <= 4);
    const [row] = await database.intake`select 1 as one`;
    assert.equal(row!.one, 1);
  });

  test("answers every query, also one given while its connection breaks", async () => {
    const { ends, side } = database;
    let answered = 0;
    for (let round = 0; round < 8; round++) {
      const own = await eventually(
        async () => (await ends`select pg_backend_pid() as pid`)[0]!,
        "it is connected again",
      );
      const broken = ends`select pg_sleep(60)`.catch(() => ends`select 1`.catch(() => "refused"));
      void broken.then(() => {
        answered += 1;
      });
      await eventually(async () => {
        const [row] = await side`select wait_event from pg_stat_activity where pid = ${own.pid}`;
        return row?.wait_event === "PgSleep";
      }, "it sleeps");
      await side`select pg_terminate_backend(${own.pid})`;
    }
    await eventually(() => answered === 8, "all are answered");
  });

  describe("given an array in binary", () => {
    const MIXED =
      "select $1::text as a, $2::int[] as b, $3::int as c, $4::uuid as d, $5::text[] as e";
    const id = "01234567-89ab-cdef-0123-456789abcdef";
    const ask = (params: unknown[], prepare = true) =>
      database.ends.unsafe(MIXED, params as never[], { prepare });
    const mixed = () => [
      "é",
      encodeColumn("int", [1, -2]),
      null,
      id,
      encodeColumn("text", ["🙂".repeat(999), '"']),
    ];
    const told = { a: "é", b: [1, -2], c: null, d: id, e: ["🙂".repeat(999), '"'] };

    test("sends it beside others as text, and the same statement with literals alone", async () => {
      for (const prepare of [true, true, false]) {
        assert.deepEqual({ ...(await ask(mixed(), prepare))[0] }, told);
        const literals = mixed().map((value) => (value === null ? null : String(value)));
        assert.deepEqual({ ...(await ask(literals, prepare))[0] }, told);
      }
    });

    test("refuses one that is malformed, and goes on", async () => {
      const good = (encodeColumn("int", [1, 2]) as BinaryArray).binary;
      const otherType = good.slice();
      otherType[11] = 25;
      const bad = [new Uint8Array(0), good.subarray(0, 21), otherType, new Uint8Array(99).fill(7)];
      const { pid } = (await database.ends`select pg_backend_pid() as pid`)[0]!;
      for (const binary of bad) {
        const params = mixed().with(1, new BinaryArray(binary, () => "{}"));
        const refused = /^(22P03|42804|08P01|54000|22003)$/;
        await assert.rejects(ask(params), (e: { code?: string }) => refused.test(e.code ?? ""));
        const asked = await Promise.all([
          ask(mixed()),
          database.ends`select pg_backend_pid() as pid`,
        ]);
        assert.deepEqual({ ...asked[0][0] }, told);
        assert.equal(asked[1][0]!.pid, pid);
      }
    });
  });
});
