import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { connect, type Database, type Sql } from "../../src/db/client.ts";
import {
  bound,
  dayOf,
  dropPartitionsBefore,
  ensurePartitions,
  listPartitions,
  PARTITIONED_TABLES,
  type PartitionedTable,
  partitionEnd,
  partitionName,
  tomorrowReady,
} from "../../src/db/partitions.ts";
import { openUpkeep } from "../../src/db/upkeep.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

const DAY = 86_400_000;
const LIMIT = { timeout: 60_000 };

let database: TestDatabase;
let db: Database;
let upkeep: Sql;
const today = dayOf(Date.now());

async function insertJob(sql: Sql, at: number): Promise<string> {
  const id = uuidv7({ msecs: at });
  await sql`
    insert into job (id, org_id, queue_id, name_id, shape_id, kind, priority, max_attempts,
                     backoff_base, backoff_factor, backoff_max, created_at)
    values (${id}, 1, 1, 1, 1, 'exec', 0, 1, 10, 2, 3600, ${new Date(at)})`;
  return id;
}

async function insertEvent(sql: Sql, at: number): Promise<void> {
  await sql`
    insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, state)
    values (${new Date(at)}, 1, 1, 1, ${uuidv7()}, 0, 'created')`;
}

async function names(table?: PartitionedTable): Promise<string[]> {
  const all = await listPartitions(upkeep);
  return all.filter((p) => p.attached && (!table || p.table === table)).map((p) => p.name);
}

/** A transaction that has read `table` and stays open until the returned function is called. */
async function openReader(table: string): Promise<() => Promise<void>> {
  let close = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const reader = openUpkeep(database.url);
  const done = reader.begin("isolation level repeatable read", async (tx) => {
    await tx.unsafe(`select count(*) from ${table}`);
    started();
    await closed;
  });
  let started = () => {};
  await new Promise<void>((resolve) => {
    started = resolve;
  });
  return async () => {
    close();
    await done;
    await reader.end();
  };
}

/** Inserts one after another until `work` is done; the slowest insert, in milliseconds. */
async function slowestInsertDuring(work: Promise<unknown>): Promise<number> {
  let over = false;
  void work.finally(() => {
    over = true;
  });
  let slowest = 0;
  while (!over) {
    const from = performance.now();
    await insertEvent(db.beats, Date.now());
    slowest = Math.max(slowest, performance.now() - from);
  }
  await work;
  return slowest;
}

/** Partitions of these days, each once: those by month hold many. */
function namesOf(table: PartitionedTable, days: number[]): string[] {
  return [...new Set(days.map((day) => partitionName(table, day)))];
}

/** Those that are missing beside the first ones, in all tables, when these days are wanted too. */
function newNames(...days: number[]): string[] {
  const first = Array.from({ length: 9 }, (_, i) => today + (i - 1) * DAY);
  return PARTITIONED_TABLES.flatMap((table) => {
    const there = new Set(namesOf(table, first));
    return namesOf(table, days).filter((name) => !there.has(name));
  }).sort();
}

test("a partition by month ends where the next one begins, in leap years and over new year", () => {
  const at = (text: string) => Date.parse(text);
  assert.equal(
    partitionName("rollup_hour", at("2028-02-29T23:59:59.999Z")),
    "rollup_hour_20280201",
  );
  assert.equal(partitionEnd("rollup_hour", at("2028-02-10")), at("2028-03-01"));
  assert.equal(partitionEnd("rollup_hour", at("2026-12-31T12:00Z")), at("2027-01-01"));
  assert.equal(partitionEnd("rollup_minute", at("2026-12-31T12:00Z")), at("2027-01-01"));
});

describe("day partitions", () => {
  beforeEach(async () => {
    database = await testDatabase();
    db = await connect(database.url, { beats: 2, reads: 2 });
    upkeep = openUpkeep(database.url);
  });
  afterEach(async () => {
    await upkeep.end({ timeout: 1 });
    await db.close();
    await database.drop();
  });

  test("reach from yesterday to seven days ahead in every table, and are made once", async () => {
    for (const table of PARTITIONED_TABLES) {
      const days = Array.from({ length: 9 }, (_, i) => today + (i - 1) * DAY);
      assert.deepEqual(await names(table), namesOf(table, days));
    }
    assert.deepEqual(await ensurePartitions(upkeep, Date.now()), []);
    const made = await ensurePartitions(upkeep, Date.now() + DAY);
    assert.deepEqual(made.sort(), newNames(today + 8 * DAY));
  });

  test("take a row by the day of its key, to the millisecond, through a UUIDv7 too", async () => {
    const where = async (id: string) =>
      (await upkeep`select tableoid::regclass::text as name from job where id = ${id}`)[0]!.name;
    const cases = [today, today + DAY - 1, today + DAY, today - 1, today - DAY];
    for (const at of cases) {
      const id = await insertJob(upkeep, at);
      assert.equal(await where(id), partitionName("job", dayOf(at)));
    }
    await assert.rejects(insertJob(upkeep, today + 30 * DAY), /no partition of relation "job"/);
    assert.equal(bound("job", 0x0123_4567_89ab), "'01234567-89ab-0000-0000-000000000000'");
  });

  test("are made by one of many servers that come at once", async () => {
    const pools = Array.from({ length: 4 }, () => openUpkeep(database.url));
    const later = Date.now() + 5 * DAY;
    const made = await Promise.all(pools.map((sql) => ensurePartitions(sql, later)));
    const added = [8, 9, 10, 11, 12].map((days) => today + days * DAY);
    assert.deepEqual(made.flat().sort(), newNames(...added));
    await Promise.all(pools.map((sql) => sql.end()));
  });

  test("work through the engine's connections, whose plans are pinned", async () => {
    const made = await ensurePartitions(db.beats, Date.now() + 2 * DAY);
    assert.deepEqual(made.sort(), newNames(today + 8 * DAY, today + 9 * DAY));
    assert.equal(await tomorrowReady(db.reads, Date.now()), true);
  });

  test("are like their parents: indexes, defaults, and settings for rows that are only added", async () => {
    const name = partitionName("phase_event", today);
    await insertEvent(upkeep, Date.now());
    const [row] = await upkeep`select id, xid::text::bigint > 0 as xid from phase_event`;
    assert.equal(row!.xid, true);
    const indexes = await upkeep`select indexdef from pg_indexes where tablename = ${name}`;
    assert.equal(indexes.length, 1);
    for (const { indexdef } of indexes) assert.match(indexdef, /USING brin .*autosummarize/);
    const [options] = await upkeep`select reloptions from pg_class where relname = ${name}`;
    assert.ok(options!.reloptions.includes("autovacuum_vacuum_insert_scale_factor=0.2"));
    const [keys] = await upkeep`
      select count(*)::int as n from pg_constraint where contype = 'p' and conrelid = any(
        select inhrelid from pg_inherits where inhparent = 'job_end'::regclass)`;
    assert.equal(keys!.n, 9);
  });

  test("tell whether tomorrow is ready", async () => {
    assert.equal(await tomorrowReady(upkeep, Date.now()), true);
    assert.equal(await tomorrowReady(upkeep, today + 6 * DAY), true);
    assert.equal(await tomorrowReady(upkeep, today + 7 * DAY), false);
    const name = partitionName("job_end", today + DAY);
    await upkeep.unsafe(`alter table job_end detach partition ${name}`);
    assert.equal(await tomorrowReady(upkeep, Date.now()), false);
    // A table of that name that is not attached is attached again, with what is in it.
    assert.deepEqual(await ensurePartitions(upkeep, Date.now()), [name]);
    assert.equal(await tomorrowReady(upkeep, Date.now()), true);
  });

  test("are attached behind an open reader, and inserts do not wait", LIMIT, async () => {
    const close = await openReader("phase_event");
    const from = performance.now();
    const slowest = await slowestInsertDuring(ensurePartitions(upkeep, Date.now() + 3 * DAY));
    assert.ok(performance.now() - from < 5_000);
    assert.ok(slowest < 1_000, `an insert waited ${slowest} ms`);
    await close();
  });
});

describe("old partitions", () => {
  const old = today - 20 * DAY;
  beforeEach(async () => {
    database = await testDatabase();
    db = await connect(database.url, { beats: 2, reads: 2 });
    upkeep = openUpkeep(database.url);
    await ensurePartitions(upkeep, old);
  });
  afterEach(async () => {
    await upkeep.end({ timeout: 1 });
    await db.close();
    await database.drop();
  });

  test("go by whole days, of one table, and younger ones stay", async () => {
    await insertEvent(upkeep, old);
    const result = await dropPartitionsBefore(upkeep, "phase_event", old + DAY);
    const gone = [old - DAY, old].map((day) => partitionName("phase_event", day));
    assert.deepEqual(result, { dropped: gone, left: [] });
    assert.ok(!(await names("phase_event")).some((name) => gone.includes(name)));
    assert.equal((await names("job")).length, 18);
    assert.deepEqual(await dropPartitionsBefore(upkeep, "phase_event", old + DAY), {
      dropped: [],
      left: [],
    });
  });

  test("behind an open reader wait their turn, and inserts never stop", LIMIT, async () => {
    const both = [old - DAY, old].map((day) => partitionName("phase_event", day));
    const close = await openReader("phase_event");
    const work = dropPartitionsBefore(upkeep, "phase_event", old + DAY);
    const slowest = await slowestInsertDuring(work);
    assert.ok(slowest < 1_000, `an insert waited ${slowest} ms`);
    assert.deepEqual(await work, { dropped: [], left: both });
    await close();
    const next = await dropPartitionsBefore(upkeep, "phase_event", old + DAY);
    assert.deepEqual(next, { dropped: both, left: [] });
  });

  test("are dropped in the same call when the reader leaves while it tries", LIMIT, async () => {
    const name = partitionName("phase_event", old - DAY);
    const close = await openReader("phase_event");
    const work = dropPartitionsBefore(upkeep, "phase_event", old);
    await eventually(
      async () => (await listPartitions(db.reads)).find((p) => p.name === name)?.detaching,
      "the detach has begun",
    );
    await close();
    assert.deepEqual(await work, { dropped: [name], left: [] });
  });

  test("that a killed server left half removed are finished, and block nobody", LIMIT, async () => {
    const [first, second] = [old - DAY, old].map((day) => partitionName("phase_event", day));
    const close = await openReader("phase_event");
    const killed = openUpkeep(database.url);
    const cut = killed
      .unsafe(`alter table phase_event detach partition ${first} concurrently`)
      .execute();
    await eventually(
      async () => (await listPartitions(upkeep)).find((p) => p.name === first)?.detaching,
      "the detach has begun",
    );
    await upkeep`select pg_terminate_backend(pid) from pg_stat_activity
                 where query like 'alter table phase_event%' and pid <> pg_backend_pid()`;
    await assert.rejects(cut);
    await killed.end({ timeout: 0 });
    await close();
    // Another one was detached and not dropped.
    const other = partitionName("job", old);
    await upkeep.unsafe(`alter table job detach partition ${other}`);
    const events = await dropPartitionsBefore(upkeep, "phase_event", old + DAY);
    assert.deepEqual(events, { dropped: [first, second], left: [] });
    const jobs = await dropPartitionsBefore(upkeep, "job", old + DAY);
    assert.ok(jobs.dropped.includes(other!));
  });

  test("give the connection back as it was", async () => {
    await dropPartitionsBefore(upkeep, "job_end", old + DAY);
    const [row] = await upkeep`select current_setting('lock_timeout') as lock_timeout`;
    assert.equal(row!.lock_timeout, "0");
  });
});
