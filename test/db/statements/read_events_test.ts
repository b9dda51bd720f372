/** What is known of transactions that are still to come, while others are open. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readEvents, readHorizon } from "../../../src/db/statements/read_events.ts";
import { Rig } from "../../support/engine.ts";

describe("what comes next", () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.bare();
  });
  after(() => rig.stop());

  test("is above every transaction that has begun to write, though none of them has ended", async () => {
    const open = [1, 2].map(() => rig.hold("select pg_current_xact_id()"));
    const releases = await Promise.all(open);
    const [row] = await rig.sql`
      select max(backend_xid::text::bigint)::float8 as newest from pg_stat_activity
      where datname = current_database() and backend_xid is not null`;
    const sql = rig.sql as never;
    const after = { floor: 0, xid: "0", id: 0, sinceMs: 0 };
    const horizons = [await readHorizon(sql), (await readEvents(sql, after, 1)).horizon];
    for (const { next, xmin } of horizons) {
      assert.ok(Number(next) > row!.newest, `${next} is above ${row!.newest}`);
      assert.ok(Number(xmin) < row!.newest, "what is open is not behind us");
    }
    for (const release of releases) await release();
  });

  test("is the snapshot's own end where all have ended", async () => {
    const [row] = await rig.sql`select pg_current_xact_id()::text::float8 as newest`;
    const { next } = await readHorizon(rig.sql as never);
    assert.ok(Number(next) > row!.newest);
  });
});
