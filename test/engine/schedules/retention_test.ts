import assert from "node:assert/strict";
import { test } from "node:test";
import { scheduleInput } from "../../../src/messages/schedule_input.ts";
import { Rig } from "../../support/engine.ts";
import { DAY } from "../../support/old_times.ts";

test("what became of old due times is forgotten, but for the newest and what has not ended", async () => {
  const rig = await Rig.start();
  const { schedules, keeping } = rig.engine;
  const input = { name: "a", cron: "0 0 29 2 *", job: { name: "work", kind: "handler" as const } };
  const id = await schedules.create("default", scheduleInput.parse(input), "tester");
  const days = (n: number) => new Date(Date.now() - n * DAY);
  const fire = (age: number, state: string, outcome: string | null) => rig.sql`
    insert into schedule_fire (schedule_id, nominal_at, kind, state, outcome, at, job_id)
    values (${id}, ${days(age)}, 'due', ${state}, ${outcome}, ${days(age)}, gen_random_uuid())`;
  await fire(400, "submitted", "succeeded");
  await fire(300, "skipped", null);
  await fire(200, "waiting", null);
  await fire(100, "submitted", "failed");
  // Waits for nothing: what waits would be submitted now.
  await schedules.pause(id, "tester");
  await keeping.prune();
  const left =
    await rig.sql`select state from schedule_fire where schedule_id = ${id} order by nominal_at`;
  assert.deepEqual(
    left.map((row) => row.state),
    ["waiting", "submitted"],
  );
  await rig.stop({ oracles: false });
});
