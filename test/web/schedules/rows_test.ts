import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ScheduleInput, scheduleInput } from "../../../src/messages/schedule_input.ts";
import {
  countSchedules,
  keyOf,
  listSchedules,
  readScheduleDetail,
} from "../../../src/web/schedules/rows.ts";
import { Rig } from "../../support/engine.ts";

describe("schedules as pages read them", () => {
  let rig: Rig;
  let other: number;
  const sql = () => rig.engines[0]!.database.reads;
  const make = (org: string, name: string, more: Partial<ScheduleInput> = {}) => {
    const job = { name: "work", kind: "handler" as const };
    const input = scheduleInput.parse({ name, cron: "0 0 29 2 *", job, ...more });
    return rig.engine.schedules.create(org, input, "tester");
  };
  before(async () => {
    rig = await Rig.start();
    const [row] = await rig.sql`insert into org (name) values ('other') returning id`;
    other = row!.id;
    await make("default", "b");
    await make("other", "a");
    await make("other", "b", { paused: true });
  });
  after(() => rig.stop());

  test("are counted, and listed by name, for those organizations alone that are asked for", async () => {
    assert.deepEqual({ ...(await countSchedules(sql(), "all")) }, { running: 2, paused: 1 });
    assert.deepEqual({ ...(await countSchedules(sql(), [other])) }, { running: 1, paused: 1 });
    assert.deepEqual({ ...(await countSchedules(sql(), [])) }, { running: 0, paused: 0 });
    const now = rig.engine.now();
    const names: string[] = [];
    for (let after = ""; ; ) {
      const [item] = await listSchedules(sql(), "all", { after, limit: 1, now });
      if (item === undefined) break;
      names.push(`${item.org}/${item.name}`);
      after = keyOf(item);
    }
    assert.deepEqual(names.toSorted(), ["default/b", "other/a", "other/b"]);
    assert.equal(names[0], "other/a");
    const own = await listSchedules(sql(), [other], { after: "", limit: 10, now });
    assert.deepEqual(
      own.map((item) => item.paused_at === null),
      [true, false],
    );
  });

  test("are hidden from who does not see their organization", async () => {
    const id = await make("other", "c");
    const now = rig.engine.now();
    assert.equal(await readScheduleDetail(sql(), id, [other + 1], now), null);
    assert.equal((await readScheduleDetail(sql(), id, [other], now))!.name, "c");
  });
});
