/** What Signalbox does for itself, recorded as runs that nobody else's figures know of. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { SYSTEM_ORG_ID } from "../../../src/core/background/system_org.ts";
import { Maintenance } from "../../../src/engine/background/maintenance.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";
import { exactRollups, happenings, storedRollups } from "../../support/metrics/exact_rollups.ts";

const CHANNEL = "00000000-0000-4000-8000-000000000001";

describe("maintenance", () => {
  let rig: Rig;
  let now: number;
  beforeEach(async () => {
    rig = await Rig.start({ rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 });
    now = Date.now() - 5_000;
  });
  afterEach(() => rig.stop());

  const recorder = () =>
    new Maintenance({
      ...{ sql: rig.engines[0]!.database.side, address: "here" },
      now: () => {
        now += 100;
        return now;
      },
      onError: () => {},
    });
  const rows = () => rig.sql`
    select n.name, n.org_id, m.* from maintenance_run m join job_name n on n.id = m.name_id
    where m.address = 'here' order by m.id`;

  test("is one row for the passes of a minute, and none for those that found nothing to do", async () => {
    const own = recorder();
    for (const did of [2, 0, 3]) {
      await own.pass(
        "staging",
        async () => did,
        (n) => (n > 0 ? { success: n } : null),
      );
    }
    await own.pass(
      "retention",
      async () => 0,
      () => null,
    );
    await own.flush();
    await own.flush();
    const [row, ...others] = await rows();
    assert.equal(others.length, 0);
    const { name, org_id, passes, outcome, items_success, error } = row!;
    assert.deepEqual(
      { name, org_id, passes, outcome, items_success, error },
      {
        name: "staging",
        org_id: SYSTEM_ORG_ID,
        passes: 2,
        outcome: "succeeded",
        items_success: 5,
        error: null,
      },
    );
  });

  test("has failed where a pass of the minute did, and keeps what it said", async () => {
    const own = recorder();
    const fails = own.pass(
      "rollups",
      () => Promise.reject(new Error("no such table")),
      () => null,
    );
    await assert.rejects(fails, /no such table/);
    await own.pass(
      "rollups",
      async () => {},
      () => ({ success: 4 }),
    );
    await own.flush();
    const [row] = await rows();
    assert.deepEqual([row!.outcome, row!.items_failed, row!.items_success], ["failed", 1, 4]);
    assert.match(row!.error, /no such table/);
  });

  test("waits for the next minute where it could not be written", async () => {
    const own = recorder();
    await rig.sql`alter table maintenance_run rename to away`;
    await own.pass(
      "staging",
      async () => {},
      () => ({ success: 1 }),
    );
    await assert.rejects(own.flush());
    await own.pass(
      "staging",
      async () => {},
      () => ({ success: 1 }),
    );
    await rig.sql`alter table away rename to maintenance_run`;
    await own.flush();
    const [row] = await rows();
    assert.deepEqual([row!.passes, row!.items_success], [2, 2]);
  });

  test("is in the rollups of its own organization, and in no sum of all", async () => {
    const own = recorder();
    await own.pass(
      "staging",
      async () => {},
      () => ({ success: 7 }),
    );
    await own.flush();
    await computed(rig.engine.rollups, rig.sql);
    const stored = await storedRollups(rig.sql);
    assert.deepEqual(stored, exactRollups(await happenings(rig.sql)));
    const groups = new Set([...stored.keys()].map((key) => key.split(" ")[2]!.split("/")[0]));
    assert.deepEqual([...groups], [String(SYSTEM_ORG_ID)]);
    const [last] =
      await rig.sql`select * from name_run r join job_name n on n.id = r.name_id where n.name = 'staging'`;
    assert.equal(last!.org_id, SYSTEM_ORG_ID);
    assert.ok(last!.last_success_at);
  });

  test("is what the parts of the engine record of themselves", async () => {
    await rig.engine.rollups.pass();
    await rig.engine.keeping.prune();
    await rig.engine.alerts.beat();
    await rig.sql`insert into alert_channel (id, name, kind, severity, url, may_be_private, enabled, created_at,
      created_by, updated_at, updated_by)
      values (${CHANNEL}, 'gone', 'webhook', 'warning', 'http://127.0.0.1:9/', true, true, now(), 'x', now(), 'x')`;
    const message = { type: "alerts.changed", timestamp: "", data: { alerts: [], more: 0 } };
    await rig.sql`insert into alert_delivery (id, channel_id, message, state, attempts, created_at, next_try_at)
      values (${CHANNEL}, ${CHANNEL}, ${rig.sql.json(message)}, 'waiting', 0, now(), now())`;
    await rig.engine.alerts.deliver();
    const { engine } = rig.engines[0]!;
    await rig.engines[0]!.stop();
    assert.ok(engine);
    const done = await rig.sql`
      select n.name, m.outcome, sum(m.items_failed)::int as failed
      from maintenance_run m join job_name n on n.id = m.name_id group by 1, 2 order by 1`;
    assert.deepEqual(
      done.map((row) => [row.name, row.outcome, row.failed]),
      [
        ["alerts", "succeeded", 0],
        // Nobody listens there: that is no fault of ours.
        ["deliveries", "succeeded", 1],
        ["retention", "succeeded", 0],
        ["rollups", "succeeded", 0],
      ],
    );
  });
});
