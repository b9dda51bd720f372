/** Where rollups are not computed any more: what can be said without them is said, above all that they are not. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { SYSTEM_ORG_ID } from "../../../src/core/background/system_org.ts";
import { every, makeName, writeRuns } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("while rollups are behind", () => {
  let rig: Rig;
  let now = 0;
  beforeEach(async () => {
    rig = await Rig.start({ alertSeconds: 3_600 });
    now = Date.now();
  });
  afterEach(() => rig.stop({ oracles: false }));

  const look = async (from: number, to: number) => {
    for (let at = from; at <= to; at += 30_000) await rig.engine.alerts.beat(at);
  };
  const firing = async () => {
    const rows = await rig.sql`
      select n.name, a.rule from alert a join job_name n on n.id = a.name_id
      where a.state = 'firing' order by 1, 2`;
    return rows.map((row) => `${row.name} ${row.rule}`);
  };
  /** A task of Signalbox's own, and when it succeeded last as far as the rollups tell. */
  const own = async (task: string, lastSuccess: number) => {
    const [row] = await rig.sql`
      insert into job_name (org_id, name) values (${SYSTEM_ORG_ID}, ${task})
      on conflict (org_id, name) do update set name = excluded.name returning id`;
    const at = new Date(lastSuccess);
    await rig.sql`
      insert into name_run (name_id, org_id, last_run_at, last_success_at)
      values (${row!.id}, ${SYSTEM_ORG_ID}, ${at}, ${at})
      on conflict (name_id) do update set last_run_at = ${at}, last_success_at = ${at}`;
    return row!.id as number;
  };
  /** As where another server leads, and hangs. */
  const hang = () => rig.sql`
    update leadership set holder = ${crypto.randomUUID()}, term = term + 1, until = now() + interval '1 hour'
    where role = 'aggregator'`;
  const stopRollups = async (at: number) => {
    await hang();
    await rig.sql`update rollup_progress set complete_until = ${new Date(at)}`;
  };

  test("it is an alert that they are, and queues are watched on", async () => {
    const name = await makeName(rig.sql, "mail");
    await writeRuns(rig.sql, name, every(MINUTE, now - 2 * HOUR, now, { outcome: "failed" }));
    await computed(rig.engine.rollups, rig.sql);
    const nobody = "00000000-0000-0000-0000-000000000000";
    await rig.sql`insert into counter values (${name.org}, 0, ${name.id}, ${nobody}, 'ready', 1500)`;
    const died = now - 50 * MINUTE;
    await rig.sql`delete from maintenance_run`;
    await own("rollups", died);
    await stopRollups(died);
    await look(now - 11 * MINUTE, now);
    assert.deepEqual(await firing(), [
      "mail BackgroundJobCriticalQueueSize",
      "rollups BackgroundJobCriticallyStale",
      "rollups BackgroundJobNotRunning",
    ]);
  });

  test("minutes that wait to be computed are not known, though the pass has gone by", async () => {
    const name = await makeName(rig.sql, "mail");
    await writeRuns(rig.sql, name, every(MINUTE, now - 2 * HOUR, now, { outcome: "failed" }));
    await computed(rig.engine.rollups, rig.sql);
    await hang();
    const minute = new Date(Math.floor((now - HOUR) / MINUTE) * MINUTE);
    await rig.sql`insert into rollup_dirty (granularity, bucket_start) values ('minute', ${minute})`;
    await look(now - 11 * MINUTE, now);
    assert.deepEqual(await firing(), []);
  });

  test("own tasks that go on are not late: their runs are read as they were written", async () => {
    await rig.sql`delete from maintenance_run`;
    const ids = [await own("rollups", now - 3 * HOUR), await own("retention", now - 5 * HOUR)];
    for (const id of ids) {
      for (const at of [now - 20 * MINUTE, now - 12 * MINUTE, now - 2 * MINUTE]) {
        await rig.sql`insert into maintenance_run (name_id, address, started_at, ended_at, run_ms, passes, outcome,
          items_success, items_failed, items_skipped)
          values (${id}, 'x', ${new Date(at)}, ${new Date(at)}, 1, 1, 'succeeded', 1, 0, 0)`;
      }
    }
    await stopRollups(now - 3 * HOUR);
    await look(now - 11 * MINUTE, now);
    assert.deepEqual(await firing(), []);
  });

  test("a task of its own that is not done any more is an alert while rollups are well, too", async () => {
    await rig.sql`delete from maintenance_run`;
    await own("retention", now - 7 * HOUR);
    await stopRollups(now);
    await look(now - 11 * MINUTE, now);
    assert.deepEqual(await firing(), [
      "retention BackgroundJobCriticallyStale",
      "retention BackgroundJobNotRunning",
    ]);
  });
});
