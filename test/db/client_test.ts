import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, type Database } from "../../src/db/client.ts";
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
});
