import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { connect } from "../../src/db/client.ts";
import {
  lacksPartition,
  makeMissingPartition,
  missingPartition,
} from "../../src/db/missing_partition.ts";
import { dayOf } from "../../src/db/partitions.ts";
import { testDatabase } from "../support/database.ts";

const DAY = 86_400_000;

test("an error tells which day is missing, by time and by id, and the day is made", async () => {
  const { url, drop } = await testDatabase();
  const db = await connect(url);
  try {
    const at = Date.now() - 40 * DAY;
    const event = () => db.beats`
      insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, state)
      values (${new Date(at)}, 1, 1, 1, ${uuidv7()}, 0, 'queued')`;
    const decision = () => db.beats`
      insert into decision values (${uuidv7({ msecs: at })}, 1, 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
        '{}', '{}')`;
    for (const [table, insert] of [
      ["phase_event", event],
      ["decision", decision],
    ] as const) {
      const error = await insert().then(
        () => assert.fail("it has no place"),
        (thrown: Error) => thrown,
      );
      assert.equal(lacksPartition(error), true);
      const missing = missingPartition(error)!;
      assert.deepEqual([missing.table, dayOf(missing.at)], [table, dayOf(at)]);
      assert.equal(await makeMissingPartition(db.beats, error), true);
      assert.equal(await makeMissingPartition(db.beats, error), false);
      await insert();
    }
  } finally {
    await db.close();
    await drop();
  }
});

test("other errors tell of no day", () => {
  assert.equal(lacksPartition(new Error("no partition")), false);
  assert.equal(missingPartition({ code: "23514", message: 'no partition of relation "x"' }), null);
  assert.equal(missingPartition(new Error("broken")), null);
});
