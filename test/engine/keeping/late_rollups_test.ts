/** Rollups of what retention has taken: as they were computed, whatever comes late and whoever asks. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Engine } from "../../../src/engine/engine.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import { computed } from "../../support/metrics/computed.ts";
import { DAY, makeDays, oldAttempt, oldEvent, oldJob } from "../../support/old_times.ts";

const HOUR = 3_600_000;
const LOCK_TIMEOUT = "55P03";
const today = Math.floor(Date.now() / DAY) * DAY;

describe("rollups behind retention", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.bare({ rollupIntervalSeconds: 3_600 });
  });
  afterEach(() => rig.stop({ oracles: false }));

  const rows = async (granularity: string, before = today) =>
    rig.sql.unsafe(`select metric_id, org_id, queue_id, name_id, worker_id, bucket_start, count, sum, min, max,
        bins, hits
      from rollup_${granularity} where bucket_start < '${new Date(before).toISOString()}' order by 1, 2, 3, 4, 5, 6`);
  const dirty = async (granularity: string, at: number) => {
    await rig.sql`insert into rollup_dirty values (${granularity}, ${new Date(at)}) on conflict do nothing`;
  };
  const allRead = (engine: Engine) => computed(engine.rollups, rig.sql);
  const retentionWaits = async () => {
    const waiting = await rig.sql`select 1 from pg_stat_activity where datname = current_database()
      and application_name = 'signalbox upkeep' and wait_event_type = 'Lock'`;
    return waiting.length > 0;
  };
  const filled = async (day: number) => {
    await makeDays(rig.url, [day, today - DAY]);
    for (const at of [day + 5, day + 3 * HOUR + 7, day + 3 * HOUR + 61_000]) {
      await oldEvent(rig.sql, at);
      await oldAttempt(rig.sql, await oldJob(rig.sql, at, { ended: at + 500 }), at + 500);
    }
    const { engine, logs } = await rig.addEngine();
    await allRead(engine);
    return { engine, logs };
  };

  test("hours, days and weeks stay equal when minutes and raw rows go", async () => {
    const day = today - 20 * DAY;
    const { engine } = await filled(day);
    const before = { hour: await rows("hour"), day: await rows("day"), week: await rows("week") };
    assert.ok(before.hour.length > 0 && before.day.length > 0 && before.week.length > 0);
    await engine.keeping.prune();
    assert.equal((await rows("minute", day + DAY)).length, 0);
    for (const granularity of ["hour", "day", "week"] as const) {
      assert.deepEqual(await rows(granularity), before[granularity]);
    }
  });

  test("nothing that is marked dirty late is computed from rows that are gone", async () => {
    const day = today - 20 * DAY;
    const { engine, logs } = await filled(day);
    const before = { hour: await rows("hour"), day: await rows("day"), week: await rows("week") };
    await engine.keeping.prune();
    for (const at of [day, day + 3 * HOUR]) {
      await dirty("minute", at);
      await dirty("hour", at);
    }
    await dirty("day", day);
    await dirty("week", day - ((day / DAY + 3) % 7) * DAY);
    // A row that comes late finds a partition made for it, as a beat makes it.
    await makeDays(rig.url, [day]);
    await oldEvent(rig.sql, day + 9);
    await allRead(engine);
    assert.equal(
      (await rig.sql`select 1 from rollup_dirty`).length,
      0,
      "and nothing waits for ever",
    );
    for (const granularity of ["hour", "day", "week"] as const) {
      assert.deepEqual(await rows(granularity), before[granularity], granularity);
    }
    assert.equal((await rows("minute", day + DAY)).length, 0);
    const said = logs.filter(({ message }) => message.includes("came too late"));
    assert.ok(said.length > 0, "the log says so");
  });

  test("days stay as they are when the hours of their month have gone", async () => {
    const day = today - 20 * DAY;
    const { engine } = await filled(day);
    const before = { day: await rows("day"), week: await rows("week") };
    await engine.keeping.prune();
    await rig.sql`delete from rollup_hour`;
    await rig.sql`update pruned set before = ${new Date(today)} where table_name = 'rollup_hour'`;
    await dirty("day", day);
    await engine.rollups.pass();
    assert.deepEqual(await rows("day"), before.day);
    assert.deepEqual(await rows("week"), before.week);
  });

  test("retention waits for a step that computes, and removes nothing that the step has marked", async () => {
    // Young enough for the rounds that come by themselves: only the one of this test is to take it.
    const day = today - 10 * DAY;
    const { engine } = await filled(day);
    const before = await rows("hour");
    const events = async () =>
      (await rig.sql`select 1 from phase_event where at < ${new Date(day + DAY)}`).length;
    const there = await events();
    // As a step holds it: what it marks is seen only once it has ended, and until then nothing is removed.
    const release = await rig.hold(
      `insert into rollup_dirty (granularity, bucket_start)
       select distinct 'minute', $1::timestamptz
       from (select from pruned order by table_name for share) as held`,
      [new Date(day).toISOString()],
    );
    let ended: string | undefined;
    const round = engine.keeping.prune(Date.now() + 10 * DAY).then(
      () => "done",
      (error) => String(error.code),
    );
    void round.then((how) => {
      ended = how;
    });
    // On a machine that stands still for two seconds it gives up waiting, which is as good.
    await eventually(async () => ended ?? (await retentionWaits()), "retention waits for the step");
    assert.notEqual(ended, "done", "it has waited for nothing");
    await release();
    assert.ok(["done", LOCK_TIMEOUT].includes(await round), await round);
    assert.equal(await events(), there, "they are still to be read");
    await allRead(engine);
    assert.deepEqual(await rows("hour"), before);
    await engine.keeping.prune(Date.now() + 10 * DAY);
    assert.equal(await events(), 0, "now they are not");
    assert.deepEqual(await rows("hour"), before);
  });
});
