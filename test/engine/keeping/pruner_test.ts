import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { openFolderLogStore } from "../../../src/blobs/folder_log_store.ts";
import { DEFAULT_RETENTION } from "../../../src/core/retention.ts";
import {
  listPartitions,
  PARTITIONED_TABLES,
  type PartitionedTable,
  partitionEnd,
  partitionName,
} from "../../../src/db/partitions.ts";
import { openUpkeep } from "../../../src/db/upkeep.ts";
import { expiredBefore, goneDays, KEPT } from "../../../src/engine/keeping/kept.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import {
  DAY,
  makeDays,
  markRead,
  oldAttempt,
  oldEvent,
  oldJob,
  oldLiveJob,
} from "../../support/old_times.ts";

const today = Math.floor(Date.now() / DAY) * DAY;

describe("retention", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.bare();
  });
  afterEach(() => rig.stop({ oracles: false }));

  /** With its first round behind it, and no aggregator: a test says what was read. */
  const engine = async () => {
    await rig.sql`insert into leadership (role, holder, term, until)
      values ('aggregator', gen_random_uuid(), 1, '2999-01-01') on conflict (role) do nothing`;
    const added = await rig.addEngine();
    await added.engine.keeping.prune();
    return added;
  };
  const free = () => rig.sql`
    update leadership set until = now() - interval '1 second' where role = 'pruner'`;
  const days = async (table: PartitionedTable) => {
    const all = await listPartitions(rig.sql as never);
    return all.filter((p) => p.table === table && p.attached).map((p) => p.day);
  };
  const has = async (table: PartitionedTable, day: number) => (await days(table)).includes(day);

  test("a day goes in the millisecond in which its last moment is as old as the setting says", async () => {
    const { keeping } = (await engine()).engine;
    const cases = PARTITIONED_TABLES.map((table) => {
      const start = table === "rollup_hour" ? Date.UTC(2024, 1, 1) : today - 20 * DAY;
      // Of attempts that end a day after they were decided, the decision is there.
      const longer = table === "decision" ? 1 : 0;
      const gone = partitionEnd(table, start) + (DEFAULT_RETENTION[KEPT[table]] + longer) * DAY;
      return { table, start, gone };
    });
    // Time goes forward only.
    for (const { table, start, gone } of cases.sort((a, b) => a.gone - b.gone)) {
      await makeDays(rig.url, [start]);
      await markRead(rig.sql, gone + DAY);
      await keeping.prune(gone - 1);
      assert.ok(await has(table, start), `${table} is there a millisecond before`);
      const { dropped } = await keeping.prune(gone);
      assert.ok(dropped.includes(partitionName(table, start)), `${table} goes: ${dropped}`);
      assert.ok(!(await has(table, start)));
      const [mark] = await rig.sql`select before from pruned where table_name = ${table}`;
      assert.equal(mark!.before.getTime(), expiredBefore(table, DEFAULT_RETENTION, gone));
    }
  });

  test("what rollups have not read stays, and the log says so", async () => {
    const { engine: one, logs } = await engine();
    const [unread, read] = [today - 30 * DAY, today - 31 * DAY];
    await makeDays(rig.url, [unread, read]);
    await oldEvent(rig.sql, read + 5);
    await markRead(rig.sql, Date.now());
    await oldEvent(rig.sql, unread + 5);
    await one.keeping.prune();
    assert.equal(await has("phase_event", read), false);
    for (const table of ["phase_event", "worker_sample", "rollup_minute"] as const) {
      assert.equal(await has(table, unread), true, table);
    }
    const said = logs.filter((line) => line.message.includes("rollups have not read it yet"));
    assert.deepEqual(said.map(({ level }) => level).slice(0, 1), ["warn"]);
    await markRead(rig.sql, Date.now());
    await rig.sql`insert into rollup_dirty values ('hour', ${new Date(unread)})`;
    await one.keeping.prune();
    assert.equal(await has("phase_event", unread), false);
    assert.equal(await has("rollup_minute", unread), true, "an hour is still to be made of it");
    await markRead(rig.sql, Date.now());
    await one.keeping.prune();
    assert.equal(await has("rollup_minute", unread), false);
  });

  test("where nothing was ever read, nothing that is to be read goes", async () => {
    const { engine: one } = await engine();
    await makeDays(rig.url, [today - 100 * DAY]);
    await rig.sql`delete from rollup_progress`;
    await one.keeping.prune();
    assert.equal(await has("phase_event", today - 100 * DAY), true);
    assert.equal(await has("job", today - 100 * DAY), false);
  });

  test("behind an open reader a day waits, nobody else does, and the next round takes it", async () => {
    const { engine: one } = await engine();
    const day = today - 30 * DAY;
    await makeDays(rig.url, [day]);
    await markRead(rig.sql, Date.now());
    const release = await rig.hold("select count(*) from phase_event");
    const round = one.keeping.prune();
    let over = false;
    void round.finally(() => {
      over = true;
    });
    let slowest = 0;
    while (!over) {
      const from = performance.now();
      await oldEvent(rig.sql, Date.now());
      slowest = Math.max(slowest, performance.now() - from);
    }
    assert.ok(slowest < 1_500, `an insert waited ${slowest} ms`);
    const { dropped } = await round;
    assert.ok(!dropped.includes(partitionName("phase_event", day)));
    assert.ok(dropped.includes(partitionName("worker_sample", day)), "others do not wait for it");
    await release();
    await one.keeping.prune();
    const left = await listPartitions(rig.sql as never);
    assert.ok(!left.some(({ name }) => name === partitionName("phase_event", day)));
  });

  test("of two servers one does it, and where that one dies the other", async () => {
    const { engine: one, stop } = await engine();
    const { engine: two } = await rig.addEngine();
    await makeDays(rig.url, [today - 30 * DAY]);
    await markRead(rig.sql, Date.now());
    assert.deepEqual(await two.keeping.prune(), { expired: 0, dropped: [] });
    await stop();
    await free();
    assert.equal((await two.keeping.prune()).dropped.length, 4);
    assert.equal((await one.keeping.prune()).expired, 0);
    await two.keeping.prune();
    assert.deepEqual(
      (await days("phase_event")).filter((day) => day < today - 14 * DAY),
      [],
    );
  });

  test("what a crash left half removed is removed to its end", async () => {
    const { engine: one } = await engine();
    const [first, second] = [today - 31 * DAY, today - 30 * DAY];
    await makeDays(rig.url, [first, second]);
    await markRead(rig.sql, Date.now());
    // A detach that is cut off while it waits for a reader, and one that was done without the drop.
    const release = await rig.hold("select count(*) from phase_event");
    const cut = openUpkeep(rig.url);
    await cut.unsafe("set statement_timeout = 300");
    const detach = `alter table phase_event detach partition ${partitionName("phase_event", first)} concurrently`;
    await assert.rejects(cut.unsafe(detach).simple(), /timeout/);
    await release();
    await cut.end();
    const sample = partitionName("worker_sample", first);
    await rig.sql.unsafe(`alter table worker_sample detach partition ${sample} concurrently`);
    const { dropped } = await one.keeping.prune();
    assert.ok(dropped.includes(partitionName("phase_event", first)));
    assert.ok(dropped.includes(sample));
    const left = (await listPartitions(rig.sql as never)).filter((p) => p.day < today - 20 * DAY);
    assert.deepEqual(
      left.filter((p) => KEPT[p.table] === "rawDays").map((p) => p.name),
      [],
    );
  });

  test("a job stays readable while it lives, and as long as its end is kept", async () => {
    const { engine: one } = await engine();
    const [lives, lately, gone] = [today - 200 * DAY, today - 201 * DAY, today - 202 * DAY];
    await makeDays(rig.url, [lives, lately, gone, today - 10 * DAY]);
    // Makes the queue, the name and the shape that the old ones bear too.
    await rig.submit({ run_at: "2999-01-01T00:00:00Z" }, one);
    const alive = await oldLiveJob(rig.sql, lives + 5);
    const slow = await oldJob(rig.sql, lately + 5, { ended: today - 10 * DAY });
    const old = await oldJob(rig.sql, gone + 5, { ended: gone + 500 });
    await markRead(rig.sql, Date.now());
    await one.keeping.prune();
    const left = await rig.sql`select id from job where id in ${rig.sql([alive, slow, old])}`;
    assert.deepEqual(left.map(({ id }) => id).sort(), [alive, slow].sort());
    assert.equal(await has("job", gone), false);
    assert.equal((await one.explain(alive))?.state, "queued");
    await rig.sql`delete from live_job where id = ${alive}`;
    await one.keeping.prune();
    assert.equal(await has("job", lives), false);
    assert.equal(await has("job", lately), true);
  });

  test("what hangs on jobs goes with them, and on others stays", async () => {
    const { engine: one } = await engine();
    const day = today - 200 * DAY;
    await makeDays(rig.url, [day]);
    const made = (at: number) => oldJob(rig.sql, at, { ended: at + 1 });
    const [a, b, c] = [await made(day + 1), await made(day + 2), await oldJob(rig.sql, today + 3)];
    await rig.sql`insert into edge (dependency_id, dependent_id) values (${a}, ${b}), (${a}, ${c})`;
    const workflow = async (finished: Date | null, ...jobs: string[]) => {
      const [row] = await rig.sql`
        insert into workflow (id, org_id, name, state, created_at, finished_at)
        values (${uuidv7({ msecs: day })}, 1, 'old', ${finished ? "succeeded" : "open"}, ${new Date(day)},
          ${finished})
        returning id`;
      for (const job of jobs) {
        await rig.sql`insert into workflow_job values (${row!.id}, ${job}, ${job})`;
      }
      return row!.id as string;
    };
    const past = new Date(day + 1_000);
    const [empty, mixed] = [await workflow(past, a, b), await workflow(past, a, c)];
    const open = await workflow(null, a);
    await rig.sql`insert into counter (org_id, queue_id, name_id, workflow_id, state, n)
      values (1, 0, 0, ${empty}, 'succeeded', 2), (1, 0, 0, ${mixed}, 'succeeded', 2)`;
    await rig.sql`insert into workflow_batch (job_id, attempt, batch, ids) values
      (${a}, 1, 'x', '{}'), (${c}, 1, 'x', '{}')`;
    await markRead(rig.sql, Date.now());
    await one.keeping.prune();
    const ids = async (text: string) => (await rig.sql.unsafe(text)).map(({ id }) => id).sort();
    assert.deepEqual(await ids("select dependent_id as id from edge"), [c]);
    assert.deepEqual(await ids("select job_id as id from workflow_batch"), [c]);
    assert.deepEqual(await ids("select job_id as id from workflow_job"), [c]);
    assert.deepEqual(await ids("select id from workflow"), [mixed, open].sort());
    assert.deepEqual(await ids("select workflow_id as id from counter where n = 2"), [mixed]);
  });

  test("rows of small tables go when they are old and nothing names them", async () => {
    const { engine: one } = await engine();
    const ago = (n: number) => new Date(Date.now() - n * DAY);
    await rig.sql`insert into worker (uid, name, pool, last_seen_at) values
      (gen_random_uuid(), 'gone', 'p', ${ago(500)}), (gen_random_uuid(), 'seen', 'p', ${ago(300)}),
      (gen_random_uuid(), 'open', 'p', ${ago(500)}), (gen_random_uuid(), 'lately', 'p', ${ago(500)})`;
    const session = (name: string, connected: Date, ended: Date | null) => rig.sql`
      insert into worker_connection (worker_id, replica_id, connected_at, ended_at, lease_until, concurrency, facts)
      select id, gen_random_uuid(), ${connected}, ${ended}, now() + interval '1 hour', 1, '{}' from worker
      where name = ${name}`;
    await session("gone", ago(450), ago(440));
    await session("open", ago(450), null);
    await session("lately", ago(430), ago(13));
    await session("lately", ago(20), ago(15));
    await rig.sql`insert into ranking select 1, 0, 0, 0, (now() - n * interval '1 day')::date, 1, 1,
      gen_random_uuid(), 1, now(), 1, 1, 1, 1 from unnest(array[398, 402]) n`;
    await rig.sql`insert into context_snapshot (id, kind, body, used_at) values
      (gen_random_uuid(), 'old', '{}', ${ago(34)}), (gen_random_uuid(), 'young', '{}', ${ago(32)})`;
    await rig.sql`insert into job_name (org_id, name, counted, used_at) values
      (1, 'old', false, ${ago(500)}), (1, 'counted', true, ${ago(500)}), (1, 'young', false, ${ago(390)})`;
    await rig.sql`insert into shape (hash, org_id, queue_id, kind, requirements, used_at) values
      (gen_random_uuid(), 1, 1, 'exec', '{"of": "old"}', ${ago(500)}),
      (gen_random_uuid(), 1, 1, 'exec', '{"of": "young"}', ${ago(390)})`;
    await one.keeping.prune();
    const list = async (text: string) => (await rig.sql.unsafe(text)).map(({ n }) => n);
    assert.deepEqual(await list("select name as n from worker order by id"), [
      "seen",
      "open",
      "lately",
    ]);
    assert.equal((await rig.sql`select 1 from worker_connection`).length, 2);
    assert.equal((await rig.sql`select 1 from ranking`).length, 1);
    assert.deepEqual(await list("select kind as n from context_snapshot"), ["young"]);
    assert.deepEqual(await list("select name as n from job_name order by id"), [
      "counted",
      "young",
    ]);
    assert.deepEqual(await list("select requirements->>'of' as n from shape"), ["young"]);
  });

  test("names and contexts stay while an old day of jobs or decisions does", async () => {
    const { engine: one } = await engine();
    await makeDays(rig.url, [today - 600 * DAY]);
    await oldLiveJob(rig.sql, today - 600 * DAY + 5);
    await rig.sql`insert into job_name (org_id, name, counted, used_at)
      values (1, 'old', false, ${new Date(today - 599 * DAY)})`;
    await rig.sql`insert into context_snapshot (id, kind, body, used_at)
      values (gen_random_uuid(), 'old', '{}', ${new Date(today - 599 * DAY)})`;
    await rig.sql`delete from rollup_progress`;
    await one.keeping.prune();
    assert.equal((await rig.sql`select 1 from job_name where name = 'old'`).length, 1);
    assert.equal((await rig.sql`select 1 from context_snapshot`).length, 1);
  });

  test("an attempt that ends days later than any partition is written all the same", async () => {
    const { engine: one } = await engine();
    const worker = await rig.worker({ run: (job) => void job }, one);
    const id = await rig.submit({}, one);
    // A start that was never told: it lies as far back as the run took.
    const held = await worker.held(id);
    await rig.sql`update live_job set dispatched_at = now() - interval '40 days',
      ready_at = now() - interval '40 days', queued_at = now() - interval '40 days' where id = ${id}`;
    held.succeed({}, { run_ms: 39 * DAY });
    await rig.until(id, "succeeded");
    const [event] =
      await rig.sql`select at from phase_event where job_id = ${id} and state = 'running'`;
    assert.ok(event!.at.getTime() < Date.now() - 38 * DAY);
    await eventually(() => worker.recorded.length === 1, "the worker is told");
  });

  test("logs go by the day of their job, but for those that live or ended lately", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pruned-logs-"));
    const logs = await openFolderLogStore(folder);
    const { engine: one } = await rig.addEngine({ logs });
    const [day, edge] = [today - 60 * DAY, Math.floor((Date.now() - 30 * DAY) / DAY) * DAY];
    await makeDays(rig.url, [day, edge, today - 20 * DAY]);
    const alive = await oldLiveJob(rig.sql, day + 1);
    const lately = await oldJob(rig.sql, day + 2, { ended: today - 20 * DAY });
    const old = await oldJob(rig.sql, day + 3, { ended: day + 9 });
    const young = await oldJob(rig.sql, edge + 1, { ended: edge + 9 });
    const all = [alive, lately, old, young];
    for (const id of all) await logs.append(id, 1, 0, new TextEncoder().encode("said"));
    await one.keeping.prune();
    const left = await Promise.all(all.map((id) => logs.size(id, 1)));
    assert.deepEqual(left, [4, 4, 0, 4]);
    await rig.sql`delete from live_job where id = ${alive}`;
    await one.keeping.prune(today + 11 * DAY);
    assert.deepEqual(await logs.days(), []);
    await logs.close();
    await rm(folder, { recursive: true });
  });

  test("attempts and decisions go by their own setting", async () => {
    const { engine: one } = await engine();
    const day = today - 60 * DAY;
    await makeDays(rig.url, [day]);
    const job = await oldJob(rig.sql, day + 5, { ended: day + 50 });
    await oldAttempt(rig.sql, job, day + 50);
    await markRead(rig.sql, Date.now());
    await one.keeping.prune();
    assert.equal((await rig.sql`select 1 from dispatched_job where job_id = ${job}`).length, 0);
    assert.equal((await rig.sql`select 1 from job_end where job_id = ${job}`).length, 1);
  });
});

test("days of which nothing is left are told as ranges of ids", () => {
  const at = (day: number) => ({ table: "job", attached: true, day: day * DAY }) as never;
  const gone = goneDays([at(3), at(1), at(4)]);
  assert.equal(gone.length, 2);
  assert.match(gone[0]![0], /^00000000-0000-/);
  assert.equal(Number.parseInt(gone[1]![0].slice(0, 13).replace("-", ""), 16), 2 * DAY);
  assert.equal(Number.parseInt(gone[1]![1].slice(0, 13).replace("-", ""), 16), 3 * DAY);
});
