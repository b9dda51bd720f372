/**
 * A simulated year of runs that last: one that waits for none, one that waits in line, and one with a jitter;
 * with seconds, pauses, days without a server, and two servers by turns. What is expected is computed from
 * the wall clocks and from docs/schedules.md alone; of the jitter it is only asked to keep within its bounds.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import postgres from "postgres";
import { type ScheduleInput, scheduleInput } from "../../../src/messages/schedule_input.ts";
import { type TestDatabase, testDatabase } from "../../support/database.ts";
import { Dice } from "../../support/dice.ts";
import { ExpectedFires } from "../../support/schedules/expected_fires.ts";
import { type SimulatedRunner, simulatedRunner } from "../../support/schedules/simulated_runner.ts";
import { dailyAt, wallClock } from "../../support/schedules/wall_clock.ts";

const FROM = Date.UTC(2026, 0, 1);
const TO = Date.UTC(2027, 0, 1);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** On these weekdays, at this minute of the day and these seconds. */
function dueOn(zone: string, days: number[], minutes: number, seconds: number[]): number[] {
  const walls = wallClock(zone, FROM, TO);
  const shown = new Map(walls.map((wall) => [wall.at, wall]));
  return dailyAt(walls, minutes).flatMap((at) => {
    const wall = shown.get(at)!;
    if (!days.includes(wall.weekday)) return [];
    // What the gap swallows is due at its end, once.
    return wall.minutes === minutes ? seconds.map((second) => at + second * 1000) : [at];
  });
}

const PLANS: { input: Partial<ScheduleInput> & { cron: string }; due: number[] }[] = [
  {
    input: {
      ...{ cron: "10,40 30 2 * * SUN", time_zone: "Europe/Berlin" },
      ...{ overlap: "skip", catch_up: "last" },
    },
    due: dueOn("Europe/Berlin", [0], 150, [10, 40]),
  },
  {
    input: {
      ...{ cron: "0 12 * * 1,3,5", time_zone: "America/New_York" },
      ...{ overlap: "queue", catch_up: "all", catch_up_max: 3 },
    },
    due: dueOn("America/New_York", [1, 3, 5], 720, [0]),
  },
  {
    input: {
      ...{ cron: "10 2 * * 2,6", time_zone: "Australia/Lord_Howe", jitter_seconds: 3_000 },
      ...{ overlap: "skip", catch_up: "none" },
    },
    due: dueOn("Australia/Lord_Howe", [2, 6], 130, [0]),
  },
];

let database: TestDatabase;
let sql: postgres.Sql;
let now = FROM;
const runners: SimulatedRunner[] = [];
const expected: ExpectedFires[] = [];
const dice = new Dice(20_270_101);

before(async () => {
  database = await testDatabase();
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
  for (const _ of [1, 2]) runners.push(await simulatedRunner(database.url, () => now));
  for (const [n, { input, due }] of PLANS.entries()) {
    const job = { name: "tick", kind: "handler" as const };
    const parsed = scheduleInput.parse({ name: `s${n}`, job, ...input });
    const id = await runners[0]!.schedules.create("default", parsed, "test");
    expected.push(new ExpectedFires(id, parsed, due));
  }
});
after(async () => {
  for (const runner of runners) await runner.stop("cleanly");
  await sql.end();
  await database.drop();
});

/** When each is looked at next, as its row says: never before its due time, never later than its jitter. */
async function readDue(): Promise<void> {
  const rows = await sql`select id, extract(epoch from due_at)::float8 * 1000 as due from schedule`;
  for (const own of expected) own.setDueAt(rows.find(({ id }) => id === own.id)!.due);
}

/** The first moment from `at` on that no due time stands close to: which ones are missed is then certain. */
function apart(at: number): number {
  let moment = at;
  while (expected.some((own) => own.isNear(moment))) moment += 10 * MINUTE;
  return Math.min(moment, TO - 1);
}

async function endSome(): Promise<void> {
  for (const own of expected) {
    for (const nominal of own.live().filter(() => dice.next() < 0.4)) {
      await sql`delete from live_job where id =
        (select job_id from schedule_fire where schedule_id = ${own.id}
         and nominal_at = to_timestamp(${nominal / 1000}::float8))`;
      own.end(nominal);
    }
  }
}

/** One of the two servers looks, and whoever of them led before has lost its role. */
async function look(): Promise<void> {
  const runner = runners[dice.next() < 0.5 ? 0 : 1]!;
  await sql`update leadership set until = now() - interval '1 second'`;
  await runner.pass();
  // What ended meanwhile lets the next one in line go.
  await runner.pass();
  for (const own of expected) own.look(now);
}

async function pauseOrResume(): Promise<void> {
  const paused = expected.filter((own) => own.isPaused);
  const some = paused.length > 0 && dice.next() < 0.8 ? paused : expected;
  const own = some[Math.floor(dice.next() * some.length)]!;
  const { schedules } = runners[0]!;
  if (own.isPaused) await schedules.resume(own.id, "test");
  else await schedules.pause(own.id, "test");
  own.pauseOrResume(now);
}

test("fires, waits and skips over a year as its policies say", async () => {
  let pauses = 0;
  while (now < TO - 1) {
    await readDue();
    const next = Math.min(TO - 1, ...expected.map((own) => own.dueAt ?? TO));
    const chance = dice.next();
    // Mostly when something is due; sometimes soon after, where nothing is; sometimes after days without a server.
    if (chance < 0.8) now = next;
    else now = apart(chance < 0.95 ? now + 1 : now + dice.next() * 12 * DAY);
    now = Math.floor(now);
    const isApart = expected.every((own) => !own.isNear(now));
    if (isApart && dice.next() < 0.7) {
      await pauseOrResume();
      pauses += 1;
    }
    await endSome();
    await look();
  }
  const states = new Set<string>();
  for (const own of expected) {
    const rows = await sql`
      select round(extract(epoch from nominal_at) * 1000)::float8 as nominal, kind, state, missed,
        round(extract(epoch from fired_at) * 1000)::float8 as fired
      from schedule_fire where schedule_id = ${own.id} order by nominal_at`;
    const left = rows.reduce((sum, { missed }) => sum + (missed ?? 0), 0);
    const dealt = rows.filter(({ missed }) => missed === null);
    const line = (f: { nominal: number; kind: string; state: string; fired: number | null }) =>
      `${new Date(f.nominal).toISOString()} ${f.kind} ${f.state} ${f.fired ?? ""}`;
    assert.deepEqual(
      dealt.map((row) => line(row as never)),
      own.fires().map(line),
    );
    assert.equal(left, own.left);
    for (const { kind, state } of own.fires()) states.add(`${own.overlap} ${kind} ${state}`);
    assert.ok(own.left > 3, `${own.overlap} has left out ${own.left} that were missed`);
  }
  const jobs =
    await sql`select tags ->> 'schedule' as name, tags ->> 'scheduled_for' as at from job`;
  const submitted = expected.flatMap((own) => own.fires()).filter(({ fired }) => fired !== null);
  assert.equal(jobs.length, submitted.length, "one job for each");
  assert.equal(new Set(jobs.map(({ name, at }) => `${name} ${at}`)).size, jobs.length);
  for (const what of [
    ...["skip due submitted", "skip due skipped", "skip missed submitted"],
    ...["queue due submitted", "queue missed submitted"],
  ]) {
    assert.ok(states.has(what), `the year has seen: ${what}`);
  }
  assert.ok(expected[1]!.waited > 10, `${expected[1]!.waited} have waited in line`);
  assert.ok(pauses > 6, `${pauses} pauses and resumes`);
  assert.deepEqual(
    runners.flatMap(({ troubles }) => troubles),
    [],
  );
});
