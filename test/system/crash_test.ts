/**
 * Crashes of real processes: nothing is lost, nothing ends twice, no work is killed for want of a
 * server. Runs alone: it measures how soon work comes back, and loads the machine.
 */
import assert from "node:assert/strict";
import { appendFileSync, chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import postgres from "postgres";
import { eventually } from "../support/eventually.ts";
import { assertOracles } from "../support/oracles.ts";
import { type OwnCluster, ownCluster } from "../support/own_cluster.ts";
import { type Process, TestSystem } from "../support/system.ts";

const LEASE = 2;
const GRACE = 2;
const JOBS = 2_000;

/** Each run leaves a line: how often a job really ran, whatever the database says. */
function leavesLine(file: string) {
  return { command: ["sh", "-c", `echo $SIGNALBOX_JOB_ID >> ${file}`] };
}

describe("after a crash", () => {
  let cluster: OwnCluster;
  let sql: postgres.Sql;
  let system: TestSystem;

  before(async () => {
    cluster = await ownCluster();
    sql = postgres(cluster.url, { max: 2, onnotice: () => {} });
  });
  after(async () => {
    await sql.end();
    await cluster.stop();
  });
  afterEach(() => system.stop());

  async function start(): Promise<Process> {
    system = await TestSystem.create({
      databaseUrl: cluster.url,
      leaseSeconds: LEASE,
      graceSeconds: GRACE,
    });
    return await system.server();
  }

  /** A file that the job's user may append to. */
  function sharedFile(): string {
    chmodSync(system.folder, 0o755);
    const file = join(system.folder, "ran");
    appendFileSync(file, "");
    chmodSync(file, 0o666);
    return file;
  }

  async function submitShort(file: string): Promise<Set<string>> {
    const payload = leavesLine(file);
    const job = { name: "short", payload, max_attempts: 3 };
    return new Set(await system.client.submitMany(Array.from({ length: JOBS }, () => job)));
  }

  const lines = (file: string) => readFileSync(file, "utf8").split("\n").filter(Boolean);

  async function allEnded(ids: Set<string>): Promise<void> {
    await eventually(
      async () => {
        const [row] = await sql`select count(*)::int as n from live_job`;
        return row!.n === 0;
      },
      "every job has ended",
      { deadlineMs: 120_000, everyMs: 250 },
    );
    const ends = await sql`
      select job_id, state, attempt from job_end where job_id = any(${[...ids]}::uuid[])`;
    assert.equal(ends.length, ids.size, "one end per job");
    for (const end of ends) assert.equal(end.state, "succeeded");
    await assertOracles(sql);
  }

  test("of the server, every short job ends once and every reported end is kept", async () => {
    const server = await start();
    system.worker("a", 8);
    await system.connected("a");
    const file = sharedFile();
    const ids = await submitShort(file);
    await eventually(() => lines(file).length > 300, "some jobs ran", { deadlineMs: 60_000 });
    server.kill("SIGKILL");
    await server.exited;
    const ranBefore = lines(file).length;
    assert.ok(ranBefore < JOBS, "killed in the middle");
    await system.server();
    await allEnded(ids);
    const ran = lines(file);
    assert.equal(new Set(ran).size, JOBS, "none lost");
    assert.equal(ran.length, JOBS, "the worker lived: no work was done twice");
  });

  test("of PostgreSQL, every short job ends once and every reported end is kept", async () => {
    await start();
    system.worker("b", 8);
    await system.connected("b");
    const file = sharedFile();
    const ids = await submitShort(file);
    await eventually(() => lines(file).length > 300, "some jobs ran", { deadlineMs: 60_000 });
    await cluster.kill9();
    assert.ok(lines(file).length < JOBS, "killed in the middle");
    await cluster.restart();
    await allEnded(ids);
    assert.equal(lines(file).length, JOBS, "the worker lived: no work was done twice");
  });

  test("of a worker, its jobs are ready within grace + 1 s", async () => {
    await start();
    const worker = system.worker("c", 4);
    await system.connected("c");
    const rescuing = await rescuerAwake();
    const ids = await system.client.submitMany(
      Array.from({ length: 4 }, () => ({ name: "long", payload: { command: ["sleep", "600"] } })),
    );
    await states(ids, "running");
    await rescuing();
    worker.kill("SIGKILL");
    const killedAt = performance.now();
    await states(ids, "ready");
    const seconds = (performance.now() - killedAt) / 1000;
    assert.ok(seconds <= GRACE + 1, `ready after ${seconds.toFixed(2)} s`);
    await cancelAll(ids);
  });

  test("that froze a worker, its jobs are ready within lease + 1 s", async () => {
    await start();
    const worker = system.worker("d", 4);
    await system.connected("d");
    const rescuing = await rescuerAwake();
    const ids = await system.client.submitMany(
      Array.from({ length: 4 }, () => ({ name: "long", payload: { command: ["sleep", "600"] } })),
    );
    await states(ids, "running");
    await rescuing();
    worker.kill("SIGSTOP");
    const frozenAt = performance.now();
    await states(ids, "ready");
    const seconds = (performance.now() - frozenAt) / 1000;
    assert.ok(seconds <= LEASE + 1, `ready after ${seconds.toFixed(2)} s`);
    await cancelAll(ids);
    worker.kill("SIGKILL");
    await worker.exited;
  });

  test("and three leases without a server, 50 long jobs succeed at attempt 1", async () => {
    const server = await start();
    system.worker("e", 50);
    await system.connected("e");
    const away = 3 * LEASE;
    const command = ["sleep", String(away + 3)];
    const job = { name: "patient", payload: { command }, max_attempts: 3 };
    const ids = await system.client.submitMany(Array.from({ length: 50 }, () => job));
    await states(ids, "running");
    server.kill("SIGKILL");
    await server.exited;
    await new Promise((done) => setTimeout(done, away * 1000));
    await system.server();
    await states(ids, "succeeded");
    const ends = await sql`
      select attempt from job_end where job_id = any(${ids}::uuid[])`;
    assert.deepEqual(new Set(ends.map((e) => e.attempt)), new Set([1]));
    await assertOracles(sql);
  });

  /** A rescuer acts only lease + grace after its start: waits for the rest of that time. */
  async function rescuerAwake(): Promise<() => Promise<void>> {
    const at = performance.now() + (LEASE + GRACE) * 1000 + 500;
    return () => new Promise((done) => setTimeout(done, Math.max(0, at - performance.now())));
  }

  async function states(ids: string[], state: string): Promise<void> {
    await eventually(
      async () => {
        const [row] = await sql`
          select (select count(*) from live_job where id = any(${ids}::uuid[]) and state = ${state})
            + (select count(*) from job_end where job_id = any(${ids}::uuid[]) and state = ${state})
            as n`;
        return Number(row!.n) === ids.length;
      },
      `${ids.length} jobs are ${state}`,
      { deadlineMs: 60_000, everyMs: 20 },
    );
  }

  async function cancelAll(ids: string[]): Promise<void> {
    for (const id of ids) await system.client.cancel(id);
  }
});
