/** A worker of the demo before a server that the test plays. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { FLEET } from "../../src/demo/cast/worker_role.ts";
import { DemoWorker } from "../../src/demo/play/demo_worker.ts";
import type { Assignment } from "../../src/messages/frames.ts";
import { eventually } from "../support/eventually.ts";
import { assignment, ScriptedServer } from "../support/scripted_server.ts";

const ROLE = FLEET.find(({ name }) => name === "forge-1")!;

describe("a worker of the demo", () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const action of cleanUp.splice(0).reverse()) await action();
  });

  async function begin() {
    const server = await ScriptedServer.start();
    const lost: string[] = [];
    const onLost = (why: string) => lost.push(why);
    const worker = new DemoWorker(ROLE, { url: server.url, token: "t", seed: 1, onLost });
    worker.start();
    cleanUp.push(
      () => server.stop(),
      () => worker.stop(0),
    );
    const peer = await server.peer();
    return { server, worker, peer, lost };
  }
  const job = (name: string, payload: unknown = { command: ["x"] }): Assignment =>
    assignment({ kind: "exec", org: "tidewater", name, payload });

  test("says what its role is, and comes back with its work where the network fails", async () => {
    const { server, worker, peer } = await begin();
    assert.deepEqual(
      [peer.hello.name, peer.hello.concurrency, peer.hello.resources],
      ["forge-1", ROLE.slots, { cpus: ROLE.cpus, ram_mb: ROLE.ramMb }],
    );
    const long = job("linux-6.12.9");
    peer.send({ type: "assign", jobs: [long] });
    await eventually(() => peer.of("started").length > 0, "it runs");
    worker.drop();
    const again = await server.peer(1);
    assert.deepEqual(
      again.hello.running.map((one) => one.job),
      [long.job],
    );
  });

  test("forgets all it ran where it crashes, under the same id", async () => {
    const { server, worker, peer } = await begin();
    peer.send({ type: "assign", jobs: [job("linux-6.12.9")] });
    await eventually(() => peer.of("started").length > 0, "it runs");
    worker.crash();
    const again = await server.peer(1);
    assert.equal(again.hello.worker_id, peer.hello.worker_id);
    assert.deepEqual(again.hello.running, []);
  });

  test("tells of a job what fits it, and of a stranger's that it only pretends", async () => {
    const { peer } = await begin();
    const [small, strange] = [job("libmnl-1.0.5"), job("make-coffee")];
    peer.send({ type: "assign", jobs: [small, strange] });
    const ends = await eventually(() => {
      const all = peer.of("finished").flatMap(({ jobs }) => jobs);
      return all.length === 2 ? all : undefined;
    }, "both end");
    const known = ends.find((end) => end.job === small.job)!;
    assert.ok(known.usage!.peak_ram_mb! > 50 && known.log_bytes! > 0 && known.run_ms! > 0);
    const other = ends.find((end) => end.job === strange.job)!;
    assert.equal(other.outcome, "failed");
    assert.match(other.error!, /only pretend.*make-coffee.*default/);
  });
});
