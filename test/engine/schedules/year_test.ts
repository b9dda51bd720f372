/**
 * A simulated year in three time zones with both changes of the clock: servers start, stop and die, two look
 * at once, roles change hands in between. What is expected is computed from the wall clocks alone.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import { scheduleInput } from "../../../src/messages/schedule_input.ts";
import { type TestDatabase, testDatabase } from "../../support/database.ts";
import { Dice } from "../../support/dice.ts";
import { type SimulatedRunner, simulatedRunner } from "../../support/schedules/simulated_runner.ts";
import { dailyAt, wallClock, whenever } from "../../support/schedules/wall_clock.ts";

const FROM = Date.UTC(2026, 0, 1);
const TO = Date.UTC(2027, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const CATCH_UP_MAX = 4;

interface Expected {
  fired: number[];
  skipped: number;
}

const walls = (zone: string) => wallClock(zone, FROM, TO);
const onSundays = whenever(
  walls("America/New_York"),
  ({ minutes, weekday, month }) =>
    weekday === 0 &&
    minutes % 20 === 0 &&
    minutes >= 60 &&
    minutes < 240 &&
    [3, 11].includes(month),
);
const SCHEDULES = [
  {
    cron: "30 2 * * *",
    zone: "Europe/Berlin",
    catchUp: "last",
    due: dailyAt(walls("Europe/Berlin"), 150),
  },
  { cron: "*/20 1-3 * 3,11 SUN", zone: "America/New_York", catchUp: "none", due: onSundays },
  {
    ...{ cron: "10 2 * * *", zone: "Australia/Lord_Howe", catchUp: "all" },
    due: dailyAt(walls("Australia/Lord_Howe"), 130),
  },
];

/** What each policy makes of what was due since the look before. */
function expect(due: number[], catchUp: string, now: number, into: Expected): void {
  const onTime = due.filter((at) => now - at < MINUTE);
  const missed = due.filter((at) => now - at >= MINUTE);
  const wanted = catchUp === "none" ? 0 : catchUp === "last" ? 1 : CATCH_UP_MAX;
  const kept = wanted === 0 ? [] : missed.slice(-wanted);
  into.fired.push(...kept, ...onTime);
  into.skipped += missed.length - kept.length;
}

describe("a year of schedules", () => {
  let database: TestDatabase;
  let sql: postgres.Sql;
  let now = FROM;
  const runners: SimulatedRunner[] = [];
  const troubles: string[] = [];
  const chances = new Dice(20_260_101);
  const roll = () => chances.next();

  const start = async () => void runners.push(await simulatedRunner(database.url, () => now));
  const lapse = () => sql`update leadership set until = now() - interval '1 second'`;

  before(async () => {
    database = await testDatabase();
    sql = postgres(database.url, { max: 2, onnotice: () => {} });
    await start();
    await start();
  });
  after(async () => {
    for (const runner of runners) await runner.stop("cleanly");
    await sql.end();
    await database.drop();
  });

  /** Something happens to the servers, and then those that are there look. */
  async function look(): Promise<void> {
    const what = roll();
    if (what < 0.04) {
      const [gone] = runners.splice(roll() < 0.5 ? 0 : 1, 1);
      troubles.push(...gone!.troubles);
      await gone!.stop(roll() < 0.5 ? "cleanly" : "killed");
      await start();
      await lapse();
    }
    const [one, other] = roll() < 0.5 ? runners : runners.toReversed();
    if (what < 0.5) await one!.pass();
    else await Promise.all([one!.pass(), other!.pass(), ...(what < 0.8 ? [lapse()] : [])]);
    // Who came while the other led, or lost the role on the way, comes again.
    for (let tries = 0; tries < 5 && (await isBehind()); tries++) {
      await lapse();
      await other!.pass();
    }
  }

  async function isBehind(): Promise<boolean> {
    const rows =
      await sql`select from schedule where due_at <= to_timestamp(${now / 1000}::float8)`;
    return rows.length > 0;
  }

  test("fires each due time once, or as its policy says", async () => {
    const expected = new Map<string, Expected>();
    const ids: string[] = [];
    for (const { cron, zone, catchUp } of SCHEDULES) {
      const input = scheduleInput.parse({
        ...{ name: zone, cron, time_zone: zone, catch_up: catchUp, catch_up_max: CATCH_UP_MAX },
        ...{ overlap: "replace", job: { name: "tick", kind: "handler" } },
      });
      const id = await runners[0]!.schedules.create("default", input, "test");
      ids.push(id);
      expected.set(id, { fired: [], skipped: 0 });
    }
    const allDue = SCHEDULES.flatMap(({ due }) => due).sort((a, b) => a - b);
    let looked = FROM;
    while (now < TO - 1) {
      const next = allDue.find((at) => at > now) ?? TO;
      const chance = roll();
      // Mostly when something is due; sometimes in between; sometimes after days without a server.
      const target =
        chance < 0.85
          ? next + Math.floor(roll() * 3_000)
          : chance < 0.95
            ? now + Math.ceil(roll() * 90 * MINUTE)
            : now + Math.ceil(roll() * 200 * HOUR);
      now = Math.min(target, TO - 1);
      for (const [at, id] of ids.entries()) {
        const { due, catchUp } = SCHEDULES[at]!;
        const since = due.filter((time) => time > looked && time <= now);
        expect(since, catchUp, now, expected.get(id)!);
      }
      looked = now;
      await look();
    }
    for (const [at, id] of ids.entries()) {
      const { zone } = SCHEDULES[at]!;
      const fires = await sql`
        select extract(epoch from nominal_at)::float8 * 1000 as at, state, missed, job_id
        from schedule_fire where schedule_id = ${id} order by nominal_at`;
      const fired = fires.filter(({ state }) => state === "submitted");
      const want = expected.get(id)!;
      const iso = (times: number[]) => times.map((time) => new Date(time).toISOString());
      assert.deepEqual(iso(fired.map((fire) => fire.at)), iso(want.fired), zone);
      const skipped = fires.reduce((sum, fire) => sum + (fire.missed ?? 0), 0);
      assert.deepEqual(
        [skipped, fires.length - fired.length > 0],
        [want.skipped, want.skipped > 0],
      );
      assert.ok(fired.length > 10 && want.skipped > 5, `${zone} ${fired.length} ${want.skipped}`);
      const jobs = await sql`
        select tags ->> 'scheduled_for' as at from job where tags ->> 'schedule' = ${zone} order by 1`;
      assert.deepEqual(
        jobs.map((job) => job.at),
        iso(want.fired),
        `${zone}: one job for each`,
      );
    }
    for (const runner of runners) troubles.push(...runner.troubles);
    assert.deepEqual(troubles, []);
  });
});
