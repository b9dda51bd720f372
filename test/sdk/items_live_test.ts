/** A real server, a real worker with handlers, and what it counted, as the API tells it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Worker } from "../../src/sdk/worker.ts";
import { eventually } from "../support/eventually.ts";
import { TestSystem, WORKER_TOKEN } from "../support/system.ts";

describe("items that a handler counts", () => {
  let system: TestSystem;
  let worker: Worker;
  let goOn = () => {};
  const waits = new Promise<void>((done) => {
    goOn = done;
  });

  before(async () => {
    system = await TestSystem.create();
    await system.server();
    worker = new Worker({
      url: `ws://127.0.0.1:${system.port}`,
      token: WORKER_TOKEN,
      name: "counter",
      log: false,
      handlers: {
        sync: async (job) => {
          job.items({ success: 2 });
          await waits;
          job.items({ success: 5, failed: 1, skipped: 3 });
        },
        breaks: (job) => {
          job.items({ success: 4, failed: 6 });
          throw new Error("the source is away");
        },
      },
    });
    await worker.start();
  });
  after(async () => {
    await worker.stop();
    await system.stop();
  });

  const submit = (name: string) => system.client.submit({ name, kind: "handler", payload: {} });
  const itemsOf = async (id: string) => (await system.client.job(id)).progress?.items;

  test("stand on the job while it runs and when it has ended", async () => {
    const { id } = await submit("sync");
    await eventually(async () => (await itemsOf(id))?.success === 2, "two are done");
    goOn();
    await eventually(async () => (await system.client.job(id)).state === "succeeded", "it ends");
    assert.deepEqual(await itemsOf(id), { success: 5, failed: 1, skipped: 3 });
  });

  test("are kept where the handler throws", async () => {
    const { id } = await submit("breaks");
    await eventually(async () => (await system.client.job(id)).state === "failed", "it ends");
    assert.deepEqual(await itemsOf(id), { success: 4, failed: 6, skipped: 0 });
  });
});
