/** What the runner does, and when, where something is wrong: with a schedule, or with its row. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import postgres from "postgres";
import { type ScheduleInput, scheduleInput } from "../../../src/messages/schedule_input.ts";
import { type TestDatabase, testDatabase } from "../../support/database.ts";
import { type SimulatedRunner, simulatedRunner } from "../../support/schedules/simulated_runner.ts";

const FROM = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

describe("the runner of schedules", () => {
  let database: TestDatabase;
  let sql: postgres.Sql;
  let runner: SimulatedRunner;
  let now = FROM;

  beforeEach(async () => {
    now = FROM;
    database = await testDatabase();
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
    runner = await simulatedRunner(database.url, () => now);
  });
  afterEach(async () => {
    await runner.stop("cleanly");
    await sql.end();
    await database.drop();
  });

  const make = (name: string, more: Partial<ScheduleInput>) => {
    const job = { name: "tick", kind: "handler" as const };
    const input = scheduleInput.parse({ name, cron: "* * * * *", job, ...more });
    return runner.schedules.create("default", input, "tester");
  };
  /** Fires of this one end in an error that says nothing of what it submits. */
  const breakFires = async (id: string) => {
    await sql.unsafe(`
      create or replace function broken() returns trigger language plpgsql as $$
      begin raise exception 'not now' using errcode = 'object_in_use'; end $$;
      create trigger broken before insert or update on schedule_fire for each row
        when (new.schedule_id = '${id}') execute function broken()`);
  };
  const mend = () => sql`drop trigger broken on schedule_fire`;
  const fired = async (id: string) => {
    const rows = await sql`select nominal_at as at, kind, state from schedule_fire
      where schedule_id = ${id} order by nominal_at`;
    return rows.map(({ at, kind, state }) => `${at.toISOString().slice(11, 16)} ${kind} ${state}`);
  };

  test("tries what keeps failing ever later, and it fires once that works", async () => {
    const id = await make("broken", {});
    await breakFires(id);
    now = FROM + MINUTE;
    const rests: number[] = [];
    for (let tries = 1; tries <= 6; tries++) {
      rests.push(await runner.pass());
      assert.equal(runner.troubles.length, tries);
      // Whoever looks before that, for another's sake, leaves it alone.
      now += rests.at(-1)! - 1;
      assert.equal(await runner.pass(), 1);
      assert.equal(runner.troubles.length, tries);
      now += 1;
    }
    assert.deepEqual(rests, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    await mend();
    await runner.pass();
    assert.deepEqual(await fired(id), ["00:01 missed submitted", "00:02 due skipped"]);
  });

  test("tries it at once when somebody changed something", async () => {
    const id = await make("broken", {});
    await breakFires(id);
    now = FROM + MINUTE;
    for (let tries = 0; tries < 4; tries++) now += await runner.pass();
    now -= 1;
    await mend();
    runner.schedules.poke();
    await runner.pass();
    assert.deepEqual(await fired(id), ["00:01 due submitted"]);
  });

  test("does what else is due beside it", async () => {
    const broken = await make("broken", {});
    const sound = await make("sound", { overlap: "replace" });
    await breakFires(broken);
    for (let minute = 1; minute <= 3; minute++) {
      now = FROM + minute * MINUTE;
      await runner.pass();
      assert.equal((await fired(sound)).length, minute);
    }
    assert.deepEqual(await fired(broken), []);
  });

  test("submits nothing for a due time that has its row, and goes on", async () => {
    const id = await make("restored", { overlap: "replace" });
    now = FROM + MINUTE;
    await runner.pass();
    // As if the row of the schedule were older than those of its fires.
    await sql`update schedule set settled_until = ${new Date(FROM)}, due_at = ${new Date(now)}
      where id = ${id}`;
    await runner.pass();
    const jobs = () => sql`select job_id from schedule_fire union all select id from job`;
    assert.equal((await jobs()).length, 2, "one fire and one job");
    assert.match(runner.troubles.join(), /a due time had fired before/);
    now += MINUTE;
    await runner.pass();
    assert.deepEqual(await fired(id), ["00:01 due submitted", "00:02 due submitted"]);
    assert.equal((await jobs()).length, 4);
  });

  test("fires what is due also where somebody asked for a run in that very moment", async () => {
    const id = await make("asked", { overlap: "replace" });
    now = FROM + MINUTE;
    const result = await runner.schedules.trigger(id, "tester");
    assert.ok(result.ok);
    await runner.pass();
    assert.deepEqual(await fired(id), ["00:01 due submitted", "00:01 manual submitted"]);
  });
});
