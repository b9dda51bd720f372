/** Queues and slots by command line and client, against a real server with a real worker. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { ADMIN_TOKEN, TestSystem } from "../support/system.ts";
import { runCli } from "./run_cli.ts";

let database: TestDatabase;
let system: TestSystem;

before(async () => {
  database = await testDatabase();
  system = await TestSystem.create({ databaseUrl: database.url });
  await system.server();
  system.worker("alpha", 2);
  await system.connected("alpha");
});
after(async () => {
  await system?.stop();
  await database?.drop();
});

const run = (...args: string[]) => {
  const env = { SIGNALBOX_URL: system.client.url, SIGNALBOX_TOKEN: ADMIN_TOKEN };
  return runCli(args, { cwd: system.folder, env });
};
const sh = (script: string) => ({ command: ["sh", "-c", script] });
const submit = (queue: string, script = "true", more: object = {}) =>
  system.client.submit({ name: "work", queue, payload: sh(script), ...more });
const reaches = (id: string, state: string) =>
  eventually(async () => (await system.client.job(id)).state === state, `${id} is ${state}`, {
    deadlineMs: 30_000,
  });

describe("signalbox queues", () => {
  test("stop ends what waits, and undo calls it off", async () => {
    await system.client.wait((await submit("builds")).id);
    assert.equal((await run("queues", "pause", "builds")).stdout, "builds is paused.\n");
    const { id } = await submit("builds");
    const look = await run("queues", "stop", "builds", "--dry-run");
    assert.equal(look.stdout, "builds has 1 job that wait.\n");
    const stop = await run("queues", "stop", "builds", "--reason", "wrong branch");
    const operation = /signalbox queues undo (\S+)\./.exec(stop.stdout)?.[1];
    assert.ok(operation, stop.stdout + stop.stderr);
    assert.equal((await run("queues", "undo", operation)).stdout, "Called off whole.\n");
    assert.equal((await system.client.job(id)).state, "ready");
    await system.client.operating.stopQueue("builds", { reason: "wrong", delaySeconds: 0 });
    await reaches(id, "cancelled");
    const again = await run("queues", "stop", "--all", "--json");
    assert.equal(JSON.parse(again.stdout).operation, null);
    assert.equal((await run("queues", "resume", "--all")).stdout, "1 resumed.\n");
    const none = await run("queues", "stop", "nothing");
    assert.equal(none.code, 1);
    assert.match(none.stderr, /There is no queue/);
    assert.equal((await run("queues", "stop")).code, 2);
  });

  test("stop of several is one operation, called off by one undo", async () => {
    const jobs = [];
    for (const queue of ["lint", "docs"]) {
      jobs.push(await submit(queue, "true", { requirements: { pool: "nobody" } }));
    }
    const look = await run("queues", "stop", "lint", "docs", "--dry-run");
    assert.equal(look.stdout, "lint, docs have 2 jobs that wait.\n");
    const stop = await run("queues", "stop", "lint", "docs", "--json");
    const { operation, affected } = JSON.parse(stop.stdout);
    assert.equal(affected, 2);
    assert.equal((await run("queues", "undo", operation)).stdout, "Called off whole.\n");
    for (const { id } of jobs) assert.equal((await system.client.job(id)).state, "ready");
  });

  test("limit changes what is named, and says how it stands", async () => {
    const limit = (...args: string[]) => run("queues", "limit", "builds", ...args);
    const first = await limit("--concurrency", "3", "--per-key", "team=1", "--rate", "100/60");
    assert.equal(first.stdout, "builds: 3 at once, 100 starts in 60 s, 1 at once for each team.\n");
    const second = await limit("--concurrency", "none", "--rate", "none");
    assert.equal(second.stderr, "");
    assert.equal(second.stdout, "builds: 1 at once for each team.\n");
    assert.match((await run("queues")).stdout, /1 at once for each team/);
    assert.equal((await limit("--per-key", "none")).stdout, "builds: no limit.\n");
    const wrong = await limit("--rate", "fast");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /such as 100\/60/);
  });
});

describe("signalbox slots", () => {
  test("lists what runs and frees it, also a job that does not listen", async () => {
    assert.match((await run("slots")).stderr, /Every slot is idle/);
    const deaf = await submit("builds", "trap '' TERM; while :; do sleep 0.1; done");
    await reaches(deaf.id, "running");
    const [pool] = await system.client.operating.pools();
    const [held] = pool!.workers[0]!.jobs;
    assert.equal(held!.job, deaf.id);
    assert.match((await run("slots")).stdout, new RegExp(`alpha +${held!.slot} +work +running`));
    const freed = await run("slots", "free", "alpha", String(held!.slot), "--reason", "hangs");
    assert.match(freed.stdout, /was asked to stop what it runs/);
    const ended = await system.client.wait(deaf.id);
    assert.deepEqual([ended.state, ended.reason], ["cancelled", "hangs"]);
    const slots = await system.client.operating.slots(pool!.workers[0]!.id);
    assert.deepEqual(
      slots.map(({ state }) => state),
      ["idle", "idle"],
    );
    assert.match((await run("slots", "free", "alpha", "1")).stdout, /Slot 1 is idle/);
    const nobody = await run("slots", "free", "omega", "1");
    assert.match(nobody.stderr, /No connected worker is called omega/);
  });

  test("frees all, and what is requeued runs again", async () => {
    const script = '[ "$SIGNALBOX_ATTEMPT" = 1 ] && exec sleep 600; true';
    const { id } = await submit("builds", script);
    await reaches(id, "running");
    assert.equal((await run("slots", "free", "--all", "--requeue")).stdout, "1 asked to stop.\n");
    const ended = await system.client.wait(id);
    assert.deepEqual([ended.state, ended.attempt, ended.failures], ["succeeded", 2, 0]);
  });
});
