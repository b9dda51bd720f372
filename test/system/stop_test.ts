/**
 * A stop of everything whose server is killed in the midst of it: another one ends the rest. Runs alone:
 * two servers, two workers and 16,000 jobs load the machine.
 */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import postgres from "postgres";
import { eventually } from "../support/eventually.ts";
import { assertOracles } from "../support/oracles.ts";
import { type OwnCluster, ownCluster } from "../support/own_cluster.ts";
import { ADMIN_TOKEN, freePort, type Process, TestSystem } from "../support/system.ts";

const WAITING = 16_000;
/** What a chunk ends. */
const CHUNK = 2_000;
/** Nobody takes it. */
const SHORT = {
  ...{ name: "short", queue: "scan", payload: { command: ["true"] } },
  requirements: { pool: "nobody" },
};

let cluster: OwnCluster;
let sql: postgres.Sql;
let system: TestSystem;

before(async () => {
  cluster = await ownCluster();
  sql = postgres(cluster.url, { max: 2, onnotice: () => {} });
  system = await TestSystem.create({ databaseUrl: cluster.url });
});
after(async () => {
  await system.stop();
  await sql.end();
  await cluster.stop();
});

/** Ends once the file is there; the job's user must be able to see it. */
function waitsFor(file: string) {
  return { command: ["sh", "-c", `while [ ! -e ${file} ]; do sleep 0.1; done`] };
}

async function stopAll(port: number): Promise<{ operation: string; affected: number }> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/queues/stop`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ reason: "storm", delay_seconds: 0 }),
  });
  assert.equal(response.status, 202);
  return response.json() as Promise<{ operation: string; affected: number }>;
}

/** The server that works on operations, by its address. */
async function leader(): Promise<number> {
  const [row] = await sql`
    select r.address from leadership l join replica r on r.id = l.holder where l.role = 'operations'`;
  return Number(row!.address.split(":").at(-1));
}

const numbers = async (operation: string) =>
  (
    await sql`
      select state, done::int, affected::int from operation where id = ${operation}`
  )[0]!;

/** Two servers with a worker each, and on each a job that runs until the file is there. */
async function start(file: string) {
  chmodSync(system.folder, 0o755);
  const ports = [system.port, await freePort()];
  const servers = new Map<number, Process>();
  for (const port of ports) servers.set(port, await system.server(port, `server-${port}`));
  for (const port of ports) system.worker(`at-${port}`, 1, port);
  await system.connected(...ports.map((port) => `at-${port}`));
  const waits = { name: "long", queue: "work", payload: waitsFor(file), max_attempts: 3 };
  const running = await system.client.submitMany([waits, waits]);
  await eventually(async () => {
    const rows = await sql`select from live_job where state = 'running'`;
    return rows.length === 2;
  }, "one runs at each server");
  return { ports, servers, running };
}

/** Half of them ready, half of them for later. */
async function submitWaiting(): Promise<string[]> {
  const pending: string[] = [];
  for (const queue of ["scan", "sweep"]) {
    const jobs = Array.from({ length: WAITING / 2 }, (_, n) => ({
      ...SHORT,
      ...{ queue, ...(n % 2 === 0 ? { run_at: "2999-01-01T00:00:00Z" } : {}) },
    }));
    pending.push(...(await system.client.submitMany(jobs)));
  }
  return pending;
}

/** Kills the server that is at it, in the midst of it; the other one's address. */
async function killLeader(operation: string, servers: Map<number, Process>): Promise<number> {
  await eventually(async () => (await numbers(operation)).done >= CHUNK, "some of it is done", {
    deadlineMs: 60_000,
    everyMs: 10,
  });
  const dies = await leader();
  servers.get(dies)!.kill("SIGKILL");
  await servers.get(dies)!.exited;
  const { state, done } = await numbers(operation);
  assert.deepEqual([state, done < WAITING], ["running", true], "in the midst of it");
  return [...servers.keys()].find((port) => port !== dies)!;
}

async function toldOnce(operation: string): Promise<void> {
  const [org] = await sql`select id from org where name = 'default'`;
  const audited = await sql`
    select org_id, actor, action, reason, affected, after -> 'queues' as queues from audit_log
    where after ->> 'operation' = ${operation} order by id`;
  assert.deepEqual(
    audited.map((one) => [one.org_id, one.actor, one.action, one.reason, Number(one.affected)]),
    [
      [null, "admin", "queues.stop", "storm", WAITING],
      [org!.id, "admin", "queues.stop", "storm", WAITING],
      [null, "admin", "operation.end", "storm", WAITING],
    ],
  );
  assert.deepEqual(audited[1]!.queues, ["scan", "sweep"]);
}

test("ends all that waited and nothing else, and the audit log tells it once", async () => {
  const file = join(system.folder, "go");
  const { ports, servers, running } = await start(file);
  const pending = await submitWaiting();
  const { operation, affected } = await stopAll(ports[0]!);
  assert.equal(affected, WAITING);
  const lives = await killLeader(operation, servers);
  const later = await system.clientOf(lives).submitMany([SHORT, SHORT, SHORT]);
  const over = await eventually(
    async () => {
      const found = await numbers(operation);
      return found.state === "running" ? undefined : found;
    },
    "another server ends the rest",
    { deadlineMs: 120_000, everyMs: 250 },
  );
  assert.deepEqual([over.state, over.done, over.affected], ["done", WAITING, WAITING]);
  const ends = await sql`select job_id, state, reason from job_end`;
  assert.deepEqual(new Set(ends.map(({ job_id }) => job_id)), new Set(pending));
  assert.equal(ends.length, WAITING, "each once");
  assert.ok(ends.every(({ state, reason }) => state === "cancelled" && reason === "storm"));
  const left = await sql`select id from live_job order by id`;
  assert.deepEqual(new Set(left.map(({ id }) => id)), new Set([...running, ...later]));
  await toldOnce(operation);

  // What ran at the stop was none of it, on either server's worker.
  writeFileSync(file, "");
  await eventually(
    async () => {
      const done = await sql`
        select state from job_end where job_id = any(${running}::uuid[]) and state = 'succeeded'`;
      return done.length === running.length;
    },
    "what ran then succeeds",
    { deadlineMs: 60_000 },
  );
  await assertOracles(sql);
});
