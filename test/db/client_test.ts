import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, type Database } from "../../src/db/client.ts";
import { testDatabase } from "../support/database.ts";

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
});
