/**
 * One job from end to end with real processes: server, worker, client, embedded PostgreSQL. The
 * same file runs on Bun and on Deno, and starts its processes on the runtime it runs on.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { TestSystem } from "../support/system.ts";

const runtime = "Deno" in globalThis ? [process.execPath, "run", "-A"] : [process.execPath];

describe("a job from end to end", () => {
  let system: TestSystem;

  before(async () => {
    system = await TestSystem.create({ runtime });
    await system.server();
    system.worker("w", 2);
    await system.connected("w");
  });
  after(() => system.stop());

  test("goes through every phase in order, with its log and its explanation", async () => {
    const { client } = system;
    const command = ["sh", "-c", "echo out; echo err >&2; echo '{\"n\":1}' > $SIGNALBOX_RESULT"];
    const { id } = await client.submit({ name: "hello", payload: { command } });
    const job = await client.wait(id);
    assert.equal(job.state, "succeeded");
    assert.equal(job.exit_code, 0);
    assert.deepEqual(job.result, { n: 1 });
    const times = [
      job.created_at,
      job.queued_at,
      job.ready_at,
      job.dispatched_at,
      job.started_at,
      job.finished_at,
    ].map((time) => Date.parse(time ?? ""));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    const states = (await client.events(id)).map((event) => event.state);
    assert.deepEqual(states, ["queued", "ready", "dispatched", "running", "succeeded"]);
    const explained = await client.explain(id);
    assert.equal(explained.dispatch?.worker.name, "w");
    assert.ok(explained.dispatch.contexts.worker && explained.dispatch.contexts.job);
    assert.ok(explained.dispatch.contexts.instance);
  });

  test("takes the results of the jobs before it", async () => {
    const { client } = system;
    const first = { command: ["sh", "-c", "echo '{\"size\":42}' > $SIGNALBOX_RESULT"] };
    const second = { command: ["sh", "-c", "cat $SIGNALBOX_INPUTS > $SIGNALBOX_RESULT"] };
    const { jobs } = await client.workflow({
      name: "two",
      jobs: [
        { key: "measure", name: "measure", payload: first },
        { key: "report", name: "report", depends_on: ["measure"], payload: second },
      ],
    });
    const report = await client.wait(jobs.report!);
    assert.equal(report.state, "succeeded");
    assert.deepEqual(report.result, { measure: { size: 42 } });
  });
});
