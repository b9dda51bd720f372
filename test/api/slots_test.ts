/** Pools and slots through the API: as many slots as were offered, and freeing them, step by step. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiBox, apiBox, hello, JOBS, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

const NOBODY = "00000000-0000-7000-8000-00000000dead";
let box: ApiBox;

before(async () => {
  box = await apiBox();
});
after(async () => {
  assert.deepEqual(box.faults, []);
  await box.close();
});

/** A worker of a pool of its own, and a job that runs on it. */
async function running(pool: string, concurrency: number) {
  const hand = await box.worker({ pool, name: pool, concurrency, pid: 4_711, host: "here" });
  const body = { ...hello, requirements: { pool } };
  const { id } = (await box.call("POST", JOBS, body)).json;
  const lease = await hand.take(id);
  hand.start(lease);
  await box.reaches(id, "running");
  const slots = async () => (await box.call("GET", `${V1}/workers/${hand.id}/slots`)).json.items;
  const slot = (await slots()).find((one: { job?: string }) => one.job === id).slot as number;
  const free = (body: object = {}, n = slot) =>
    box.call("POST", `${V1}/workers/${hand.id}/slots/${n}/free`, body);
  return { hand, id, lease, slots, slot, free };
}

describe("pools and slots", () => {
  test("a pool tells its processes, and a process its slots, idle ones too", async () => {
    const { hand, id, slots, slot } = await running("scan", 3);
    const pools = (await box.call("GET", `${V1}/pools`)).json.items;
    const pool = pools.find(({ name }: { name: string }) => name === "scan");
    assert.deepEqual([pool.slots, pool.used], [3, 1]);
    const [process] = pool.workers;
    assert.deepEqual(
      [process.id, process.pid, process.host, process.slots, process.used],
      [hand.id, 4_711, "here", 3, 1],
    );
    assert.ok(Date.parse(process.heartbeat_at) >= Date.parse(process.started_at));
    const [held] = process.jobs;
    assert.deepEqual(
      [held.slot, held.job, held.name, held.state, held.checked_in_at, held.freeing],
      [slot, id, "hello", "running", null, null],
    );
    const all = await slots();
    assert.equal(all.length, 3);
    assert.deepEqual(all.map((one: { state: string }) => one.state).sort(), [
      "idle",
      "idle",
      "running",
    ]);
    const page = await box.call("GET", `${V1}/workers/${hand.id}/slots?limit=2`);
    assert.equal(page.json.items.length, 2);
    const cursor = encodeURIComponent(page.json.next_cursor);
    const rest = await box.call("GET", `${V1}/workers/${hand.id}/slots?limit=2&cursor=${cursor}`);
    assert.deepEqual([rest.json.items.length, rest.json.next_cursor], [1, null]);
  });

  test("freeing is asked, acknowledged, and done when the worker says so; repeated, it is nothing", async () => {
    const { hand, id, lease, slots, slot, free } = await running("replicate", 1);
    const { job, attempt, token } = lease;
    const asked = await free({ reason: "hangs", job: id });
    assert.deepEqual([asked.status, asked.json.affected], [200, 1]);
    const { freeing, ...held } = asked.json.slot;
    assert.deepEqual(
      [held.job, held.state, freeing.state, freeing.by, freeing.reason, freeing.requeue],
      [id, "running", "asked", "admin", "hangs", false],
    );
    assert.equal((await free()).json.affected, 0);
    hand.session.handle({ type: "cancelling", jobs: [{ job, attempt, token }] });
    await eventually(
      async () => (await slots())[0].freeing?.state === "acknowledged",
      "it is acknowledged",
    );
    hand.end(lease, { outcome: "cancelled" });
    const ended = await box.reaches(id, "cancelled");
    assert.equal(ended.reason, "hangs");
    assert.deepEqual(await slots(), [{ slot, state: "idle" }]);
    const idle = await free();
    assert.deepEqual(
      [idle.status, idle.json],
      [200, { affected: 0, slot: { slot, state: "idle" } }],
    );
    const guarded = await free({ job: id });
    assert.equal(guarded.status, 409);
    assert.match(guarded.json.detail, /idle/);
  });

  test("with requeue the job runs again, and no failure is counted", async () => {
    const { hand, id, lease, free } = await running("retain", 1);
    assert.equal((await free({ requeue: true })).json.slot.freeing.requeue, true);
    hand.end(lease, { outcome: "cancelled" });
    const again = await hand.takeAfter(id, lease.attempt);
    hand.start(again);
    hand.end(again);
    const done = await box.reaches(id, "succeeded");
    assert.deepEqual([done.attempt, done.failures, done.cancel_requested_at], [2, 0, null]);
  });

  test("unknown workers and slots are not found, and a wrong number is refused", async () => {
    const { hand, free } = await running("purge", 2);
    const none = await free({}, 3);
    assert.equal(none.status, 404);
    assert.match(none.json.detail, /no slot 3: it has slots 1 to 2/);
    assert.equal((await box.call("POST", `${V1}/workers/${NOBODY}/slots/1/free`)).status, 404);
    assert.equal((await box.call("GET", `${V1}/workers/${NOBODY}/slots`)).status, 404);
    assert.equal((await box.call("POST", `${V1}/workers/${hand.id}/slots/0/free`)).status, 422);
  });

  test("all are freed at once, counted before", async () => {
    const { hand, id, lease } = await running("all", 1);
    const path = `${V1}/orgs/default/slots/free`;
    const { affected } = (await box.call("POST", path, { dry_run: true })).json;
    assert.ok(affected >= 1);
    assert.equal((await box.call("POST", path, { reason: "repairs" })).json.affected, affected);
    assert.equal((await box.call("POST", `${V1}/slots/free`)).json.affected, 0);
    hand.end(lease, { outcome: "cancelled" });
    assert.equal((await box.reaches(id, "cancelled")).reason, "repairs");
  });
});
