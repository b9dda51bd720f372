import assert from "node:assert/strict";
import { mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { openFolderLogStore } from "../../../src/blobs/folder_log_store.ts";
import { logPath } from "../../../src/blobs/log_path.ts";
import type { LogStore } from "../../../src/blobs/log_store.ts";
import type { Author } from "../../../src/core/author.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import type { PassProgress } from "../../../src/engine/keeping/progress.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import { DAY, makeDays, oldAttempt, oldJob, oldLiveJob } from "../../support/old_times.ts";

const ADA: Author = { name: "Ada", user: "person-1", token: null, address: null };
const bytes = (text: string) => new TextEncoder().encode(text);

describe("the deep clean-up", () => {
  let rig: Rig;
  let folder: string;
  let logs: LogStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "deep-gc-"));
    logs = await openFolderLogStore(folder);
    rig = await Rig.start({ logs });
  });
  afterEach(async () => {
    await rig.stop({ oracles: false });
    await logs.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A log that was written last so long ago. */
  const write = async (job: string, attempt: number, agoMs: number) => {
    await logs.append(job, attempt, 0, bytes("said\n"));
    const at = (Date.now() - agoMs) / 1000;
    await utimes(join(folder, logPath(job, attempt)), at, at);
  };
  const idAgo = (ms: number) => uuidv7({ msecs: Date.now() - ms });
  const there = async (job: string, attempt = 1) => (await logs.size(job, attempt)) > 0;
  const taskOf = async (id: string) =>
    (await rig.sql`select * from admin_task where id = ${id}`)[0]!;
  const over = (id: string) =>
    eventually(async () => {
      const task = await taskOf(id);
      return task.finished_at === null ? undefined : task;
    }, "the task is over");
  const clean = async (engine: Engine = rig.engine) => {
    const id = await engine.keeping.deepGc(ADA, "test");
    assert.ok(id !== null);
    const task = await over(id);
    assert.equal(task.error, null);
    const passes = task.progress as PassProgress[];
    return (name: string) => passes.find((one) => one.pass === name)!;
  };

  test("removes logs of jobs and attempts that never were, a day after they were written", async () => {
    const made = Date.now() - 2 * DAY;
    await makeDays(rig.url, [made, made - DAY]);
    const ended = await oldJob(rig.sql, made, { ended: made + 5, attempt: 2 });
    const alive = await oldLiveJob(rig.sql, made);
    await rig.sql`update live_job set attempt = 1 where id = ${alive}`;
    const nobody = [idAgo(2 * DAY), idAgo(3 * DAY)];
    for (const id of nobody) await write(id, 1, 25 * 3_600_000);
    for (const attempt of [1, 2, 3]) await write(ended, attempt, 25 * 3_600_000);
    for (const attempt of [1, 2]) await write(alive, attempt, 25 * 3_600_000);
    // One whose file is young, and one whose job is.
    const [written, submitted] = [idAgo(2 * DAY), idAgo(3_600_000)];
    await write(written, 1, 23 * 3_600_000);
    await write(submitted, 1, 48 * 3_600_000);
    const pass = await clean();
    for (const id of nobody) assert.equal(await there(id), false);
    assert.deepEqual([await there(ended, 2), await there(ended, 3)], [true, false]);
    assert.deepEqual([await there(alive, 1), await there(alive, 2)], [true, false]);
    assert.deepEqual([await there(written), await there(submitted)], [true, true]);
    const { scanned, removed } = pass("orphan_logs");
    assert.deepEqual([scanned, removed], [9, 4]);
  });

  test("clears what rows say of logs that are lost, and not where a whole day is missing", async () => {
    const made = Date.now() - 5 * DAY;
    await makeDays(rig.url, [made, made + DAY, made - DAY, Date.now() - 29.5 * DAY]);
    const job = (at: number) => oldJob(rig.sql, at, { ended: at + 5 });
    const [has, lost] = [await job(made), await job(made + 1)];
    const unmounted = await job(made + DAY);
    const expired = await job(Date.now() - 29.5 * DAY);
    const young = await job(Date.now() - 3_600_000);
    await write(has, 1, 4 * DAY);
    for (const [id, at] of [
      [has, made + 5],
      [lost, made + 6],
      [unmounted, made + DAY + 5],
      [expired, Date.now() - 29.5 * DAY],
      [young, Date.now() - 1_800_000],
    ] as const) {
      await oldAttempt(rig.sql, id, at, 5);
    }
    const pass = await clean();
    const bytesOf = async (id: string) =>
      (await rig.sql`select log_bytes from dispatched_job where job_id = ${id}`)[0]!.log_bytes;
    assert.deepEqual([await bytesOf(has), await bytesOf(lost)], [5, null]);
    assert.deepEqual(
      [await bytesOf(unmounted), await bytesOf(expired), await bytesOf(young)],
      [5, 5, 5],
    );
    const { scanned, removed, left } = pass("lost_logs");
    assert.deepEqual([scanned, removed, left], [3, 1, 1]);
  });

  test("ends sessions whose server is gone, and none that holds a job or is heard", async () => {
    const worker = await rig.worker({ run: (job) => void job.start() });
    await rig.until(await rig.submit(), "running");
    const [w] = await rig.sql`insert into worker (uid, name, pool)
      values (gen_random_uuid(), 'w', 'p') returning id`;
    const stale = (lease: string) => rig.sql`
      insert into worker_connection (worker_id, replica_id, lease_until, concurrency, facts)
      values (${w!.id}, gen_random_uuid(), now() - ${lease}::interval, 1, '{}') returning id`;
    // The rescuer would end it itself: it holds nothing, so it is told by its reason.
    const [old] = await stale("2 hours");
    await clean();
    const rows = await rig.sql`select id, ended_at, end_reason from worker_connection order by id`;
    assert.equal(rows.find((row) => row.id === worker.sessionId)?.ended_at, null);
    assert.notEqual(rows.find((row) => row.id === old!.id)?.ended_at, null);
  });

  test("runs once at a time on all servers, and each leaves two rows in the audit log", async () => {
    const { engine: other } = await rig.addEngine();
    const asked = await Promise.all(
      [rig.engine, other, rig.engine, other].map((engine) => engine.keeping.deepGc(ADA)),
    );
    const begun = asked.filter((id) => id !== null);
    assert.equal(begun.length, 1);
    await over(begun[0]!);
    const log = await rig.sql`select action, actor, object_id, after from audit_log order by id`;
    assert.deepEqual(
      log.map(({ action, actor, object_id }) => [action, actor, object_id]),
      [
        ["instance.deep_gc", "Ada", begun[0]],
        ["task.end", "Ada", begun[0]],
      ],
    );
    assert.equal(log[1]!.after.state, "done");
    assert.notEqual(await other.keeping.deepGc(ADA), null);
  });

  test("a task whose server died is failed by whoever looks next, and the next may begin", async () => {
    const dead = crypto.randomUUID();
    const id = uuidv7();
    await rig.sql`insert into replica (id, address) values (${dead}, 'gone')`;
    await rig.sql`insert into admin_task (id, kind, state, replica_id, created_by, progress)
      values (${id}, 'deep_gc', 'running', ${dead}, 'Ada', '[]')`;
    assert.equal(await rig.engine.keeping.deepGc(ADA), null, "it may live still");
    await rig.sql`update replica set seen_at = now() - interval '11 seconds' where id = ${dead}`;
    await rig.engine.keeping.settleTasks();
    const task = await taskOf(id);
    assert.deepEqual(
      [task.state, task.error],
      ["failed", "The server stopped before it was done."],
    );
    assert.notEqual(task.finished_at, null);
    assert.notEqual(await rig.engine.keeping.deepGc(ADA), null);
  });

  test("a server that stops in the midst says so itself", async () => {
    let open = () => {};
    const gate = new Promise<void>((done) => {
      open = done;
    });
    const days = () => gate.then(() => []);
    const slow = { days, removeBefore: async () => 0 } as unknown as LogStore;
    const { engine, stop } = await rig.addEngine({ logs: slow });
    const id = await engine.keeping.deepGc(ADA);
    const [task] = await rig.sql`select state, progress from admin_task where id = ${id}`;
    assert.deepEqual([task!.state, task!.progress[0].pass], ["running", "orphan_logs"]);
    const stopping = stop();
    open();
    await stopping;
    const ended = await taskOf(id!);
    assert.deepEqual(
      [ended.state, ended.error],
      ["failed", "The server stopped before it was done."],
    );
  });
});
