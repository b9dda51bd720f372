/** The SDK's client against a real server, also through a network that loses answers. */
import assert from "node:assert/strict";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { Client, ClientError } from "../../src/sdk/signalbox.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { ADMIN_TOKEN, freePort, TestSystem } from "../support/system.ts";

let database: TestDatabase;
let system: TestSystem;

before(async () => {
  database = await testDatabase();
  system = await TestSystem.create({ databaseUrl: database.url });
  await system.server();
  system.worker("alpha", 4);
  await system.connected("alpha");
});
after(async () => {
  await system?.stop();
  await database?.drop();
});

const exec = (script: string) => ({ command: ["sh", "-c", script] });

/** Passes requests on; the answers to the first `losses` of each path never come back. */
async function losingProxy(losses: number): Promise<{ url: string; server: Server }> {
  const lost = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const target = { host: "127.0.0.1", port: system.port, path: url, method, headers };
    const forward = request(target, async (answer) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      const before = lost.get(url ?? "") ?? 0;
      lost.set(url ?? "", before + 1);
      if (before < losses) return void outgoing.socket?.destroy();
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      for (const chunk of chunks) outgoing.write(chunk);
      outgoing.end();
    });
    incoming.pipe(forward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe("a client that operates queues and workers", () => {
  const client = () => system.client;

  test("pauses and resumes a queue, with who and why", async () => {
    const first = await client().submit({ name: "first", queue: "ops", payload: exec("true") });
    await client().wait(first.id);
    assert.deepEqual(await client().pauseQueue("ops", { reason: "repairs" }), { affected: 1 });
    assert.deepEqual(await client().pauseQueue("ops"), { affected: 0 });
    const held = await client().submit({ name: "held", queue: "ops", payload: exec("true") });
    const { vetoes } = await client().explain(held.id);
    assert.match(vetoes.map((v) => v.sentence).join(), /paused/);
    const queue = (await client().queues()).find((q) => q.name === "ops");
    assert.ok(queue?.paused_at);
    assert.deepEqual(await client().resumeQueue("ops"), { affected: 1 });
    assert.equal((await client().wait(held.id)).state, "succeeded");
    await assert.rejects(client().pauseQueue("nowhere"), ClientError);
  });

  test("lists workers and sends one home", async () => {
    const guest = system.worker("guest", 1);
    await system.connected("guest");
    const found = (await client().workers()).find((w) => w.name === "guest");
    await client().drainWorker(found!.id);
    await eventually(
      async () => !(await client().workers()).some((w) => w.name === "guest"),
      "it has left",
      { deadlineMs: 30_000 },
    );
    await assert.rejects(client().drainWorker(found!.id), ClientError);
    assert.ok(guest);
  });
});

describe("a client whose answers are lost", () => {
  test("adds each job, batch and workflow once", async () => {
    const { url, server } = await losingProxy(2);
    try {
      const client = new Client({ url, token: ADMIN_TOKEN });
      const job = await client.submit({ name: "once", payload: exec("true") });
      const batch = { name: "batch", payload: exec("true") };
      const ids = await client.submitMany([batch, batch, batch]);
      const workflow = await client.workflow({
        name: "flow",
        jobs: [{ key: "a", name: "flow", payload: exec("true") }],
      });
      const count = async (name: string) => {
        const found: string[] = [];
        for await (const each of system.client.jobs({ name })) found.push(each.id);
        return found.sort();
      };
      assert.deepEqual(await count("once"), [job.id]);
      assert.deepEqual(await count("batch"), [...ids].sort());
      assert.deepEqual(await count("flow"), [workflow.jobs.a]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("a client", () => {
  test("walks any number of pages, in order and without repeats", async () => {
    const { client } = system;
    const name = "paged";
    const jobs = Array.from({ length: 7 }, () => ({ name, payload: exec("true") }));
    const ids = await client.submitMany(jobs);
    const walked: string[] = [];
    for await (const job of client.jobs({ name }, { pageSize: 2 })) walked.push(job.id);
    assert.deepEqual(walked, [...ids].reverse());
  });

  test("reads all that a job left: its end, attempts, phases, log and explanation", async () => {
    const { client } = system;
    const script = `seq 1 5; echo '{"sum": 15}' > "$SIGNALBOX_RESULT"`;
    const { id } = await client.submit({ name: "full", payload: exec(script), tags: { a: "b" } });
    const job = await client.wait(id);
    assert.deepEqual([job.state, job.exit_code, job.result], ["succeeded", 0, { sum: 15 }]);
    const [attempt] = await client.attempts(id);
    assert.deepEqual([attempt?.outcome, attempt?.worker?.name], ["succeeded", "alpha"]);
    const states = (await client.events(id)).map((event) => event.state);
    assert.deepEqual(states.slice(-3), ["dispatched", "running", "succeeded"]);
    assert.equal(await client.log(id), "1\n2\n3\n4\n5\n");
    assert.equal(await client.log(id, { tail: 2 }), "4\n5\n");
    assert.equal((await client.explain(id)).dispatch?.worker.name, "alpha");
    const found = await client.jobsPage({ tags: { a: "b" }, state: ["succeeded"] });
    assert.equal(found.items[0]?.id, id);
  });

  test("follows a log over a server that is killed and comes back", async () => {
    const port = await freePort();
    const server = await system.server(port, "second");
    const client = system.clientOf(port);
    const { id } = await client.submit({
      name: "long",
      payload: exec("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done"),
    });
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const piece of client.log(id, { follow: true })) pieces.push(piece);
    })();
    await eventually(() => pieces.join("").includes("2\n"), "it follows");
    server.kill("SIGKILL");
    await server.exited;
    await system.server(port, "second");
    await reading;
    assert.equal(pieces.join(""), "1\n2\n3\n4\n5\n6\n");
  });

  test("cancels all that match in the background, and sees how far that is", async () => {
    const { client } = system;
    const run_at = new Date(Date.now() + 3_600_000).toISOString();
    const name = "many";
    const jobs = Array.from({ length: 5 }, () => ({ name, payload: exec("true"), run_at }));
    await client.submitMany(jobs);
    const dry = await client.cancelMatching({ name }, { dryRun: true });
    const queues = [{ name: "default", affected: 5 }];
    assert.deepEqual(dry, { operation: null, affected: 5, complete: true, queues });
    const { operation, affected } = await client.cancelMatching({ name }, { reason: "enough" });
    assert.equal(affected, 5);
    await eventually(async () => {
      return (await client.operation(operation as string)).state === "done";
    }, "it is done");
    const left = await client.jobsPage({ name, state: ["queued"] });
    assert.equal(left.items.length, 0);
  });

  test("is told what is wrong, and where", async () => {
    const refused = async (promise: Promise<unknown>) => {
      const error = await promise.catch((reason) => reason);
      assert.ok(error instanceof ClientError, String(error));
      return error;
    };
    const { client } = system;
    const bad = await refused(client.submit({ name: "no name", payload: exec("x") }));
    assert.equal(bad.status, 422);
    assert.equal(bad.problem?.errors?.[0]?.path, "/name");
    const wrongToken = new Client({ url: client.url, token: "x".repeat(40) });
    assert.equal((await refused(wrongToken.workers())).status, 401);
    assert.equal((await refused(client.job("0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e"))).status, 404);
    const { id } = await client.submit({ name: "ended", payload: exec("true") });
    await client.wait(id);
    assert.equal((await refused(client.cancel(id))).status, 409);
    const readiness = await client.ready();
    assert.equal(readiness.ready, true);
  });
});
