/** Harbor's scenarios of queues, by our names, and what else the API says of them. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type ApiBox, apiBox, type HandWorker, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

const O = `${V1}/orgs/default`;
let box: ApiBox;
let count = 0;
/** Two queues of each test's own. */
let [a, b] = ["", ""];

before(async () => {
  box = await apiBox();
});
after(async () => {
  assert.deepEqual(box.faults, []);
  await box.close();
});
beforeEach(() => {
  count += 1;
  [a, b] = [`a${count}`, `b${count}`];
});

const job = (queue: string, more: object = {}) => ({
  ...{ name: "work", queue, payload: { command: ["true"] } },
  ...{ requirements: { pool: `pool${count}` }, ...more },
});
async function submit(queue: string, more: object = {}): Promise<string> {
  const { status, json } = await box.call("POST", `${O}/jobs`, job(queue, more));
  assert.equal(status, 201, JSON.stringify(json));
  return json.id;
}
const act = async (path: string, body: object = {}, method = "POST") => {
  const { status, json } = await box.call(method, `${O}/queues${path}`, body);
  return { status, json };
};
const queueOf = async (name: string) => {
  const { json } = await box.call("GET", `${O}/queues`);
  return json.items.find((item: { name: string }) => item.name === name);
};
const worker = (over: object = {}): Promise<HandWorker> =>
  box.worker({ pool: `pool${count}`, concurrency: 5, ...over });
const over = (operation: string) =>
  eventually(async () => {
    const { json } = await box.call("GET", `${V1}/operations/${operation}`);
    return json.state === "running" ? null : json;
  }, "the operation is over");

describe("queues through the API", () => {
  test("paused, they fill and wait; resumed, they are worked on; stopped, they are empty", async () => {
    for (const queue of [a, b]) await submit(queue);
    for (const queue of [a, b]) {
      assert.equal((await act(`/${queue}/pause`, { reason: "repairs" })).json.affected, 1);
    }
    const hand = await worker();
    const jobs = [await submit(a), await submit(b)];
    await eventually(async () => (await queueOf(a)).latency_seconds > 0, "the first one waits");
    const paused = await queueOf(a);
    assert.deepEqual(
      [paused.pending, paused.running, paused.paused_by, paused.pause_reason],
      [2, 0, "admin", "repairs"],
    );
    assert.equal((await act(`/${a}/resume`)).json.affected, 1);
    for (const id of [jobs[0]!]) {
      const lease = await hand.take(id);
      hand.start(lease);
      hand.end(lease);
      await box.reaches(id, "succeeded");
    }
    const stopped = await act(`/${b}/stop`, { reason: "wrong", delay_seconds: 0 });
    assert.deepEqual([stopped.status, stopped.json.affected], [202, 2]);
    const done = await over(stopped.json.operation);
    assert.deepEqual([done.state, done.done, done.can_undo], ["done", 2, false]);
    const gone = await queueOf(b);
    assert.deepEqual([gone.pending, gone.latency_seconds, gone.stopping], [0, 0, false]);
    assert.notEqual(gone.paused_at, null);
    const ended = await box.reaches(jobs[1]!, "cancelled");
    assert.equal(ended.reason, "wrong");
  });

  test("all stop, pause and resume at once, and what was so already is not counted", async () => {
    for (const queue of [a, b]) await submit(queue);
    await act(`/${a}/pause`);
    const before = (await box.call("GET", `${O}/queues`)).json.items;
    const open = before.filter((item: { paused_at: string | null }) => item.paused_at === null);
    assert.equal((await act("/pause", { reason: "storm" })).json.affected, open.length);
    assert.equal((await act("/pause")).json.affected, 0);
    const look = await act("/stop", { dry_run: true });
    assert.deepEqual([look.status, look.json.operation], [200, null]);
    const own = look.json.queues.filter((q: { name: string }) => [a, b].includes(q.name));
    assert.equal(own.length, 2);
    const stopped = await act("/stop", { delay_seconds: 0 });
    assert.equal(stopped.json.affected, look.json.affected);
    assert.equal((await over(stopped.json.operation)).done, look.json.affected);
    assert.equal((await queueOf(a)).pending + (await queueOf(b)).pending, 0);
    assert.equal((await act("/resume")).json.affected, before.length);
    assert.equal((await queueOf(a)).paused_at, null);
    const { json } = await box.call("POST", `${V1}/queues/pause`);
    assert.equal(json.affected, before.length);
    assert.equal((await box.call("POST", `${V1}/queues/resume`)).json.affected, before.length);
    const nothing = await box.call("POST", `${V1}/queues/stop`);
    assert.deepEqual([nothing.status, nothing.json.affected], [200, 0]);
  });

  test("stopped by name, several are one operation, and the others go on", async () => {
    for (const queue of [a, b, b]) await submit(queue);
    const other = `${a}-other`;
    await submit(other);
    const names = { queues: [a, b] };
    const look = await act("/stop", { ...names, dry_run: true });
    assert.equal(look.json.affected, 3);
    const stopped = await act("/stop", { ...names, delay_seconds: 0, reason: "wrong" });
    assert.deepEqual(
      [stopped.status, stopped.json.queues],
      [
        202,
        [
          { org: "default", name: b, affected: 2 },
          { org: "default", name: a, affected: 1 },
        ],
      ],
    );
    const done = await over(stopped.json.operation);
    assert.deepEqual([done.done, done.filter.q], [3, `queue:${a} queue:${b}`]);
    assert.equal((await queueOf(other)).pending, 1);
    assert.equal((await act("/stop", { queues: [a, "nothing"] })).status, 404);
  });

  test("stopped and called off within its time, a queue is dispatched again", async () => {
    const id = await submit(a);
    const stopped = await act(`/${a}/stop`, { reason: "oops" });
    assert.equal(stopped.status, 202);
    const path = `${V1}/operations/${stopped.json.operation}`;
    const waiting = (await box.call("GET", path)).json;
    assert.deepEqual(
      [waiting.kind, waiting.state, waiting.can_undo, waiting.filter.q],
      ["stop_queues", "running", true, `queue:${a}`],
    );
    const undoneIn = Date.parse(waiting.starts_at) - Date.parse(waiting.created_at);
    assert.equal(undoneIn, 10_000);
    assert.equal((await queueOf(a)).stopping, true);
    const hand = await worker();
    const later = await submit(a);
    await hand.take(later);
    const why = (await box.call("GET", `${V1}/jobs/${id}/explain`)).json;
    assert.deepEqual(
      why.vetoes.map((veto: { rule: string }) => veto.rule),
      ["queue_stopped"],
    );
    const undone = await box.call("POST", `${path}/undo`, { reason: "it was right" });
    assert.deepEqual([undone.json.state, undone.json.done], ["undone", 0]);
    await hand.take(id);
    assert.equal((await box.call("POST", `${path}/undo`)).status, 409);
  });

  test("that are not there are not found, and a wrong limit is refused with a sentence", async () => {
    await submit(a);
    for (const verb of ["pause", "resume", "stop"]) {
      assert.equal((await act(`/nothing/${verb}`)).status, 404);
    }
    assert.equal((await act("/nothing", {}, "PATCH")).status, 404);
    const none = await act(`/${a}`, { limits: { concurrency: 0 } }, "PATCH");
    assert.equal(none.status, 422);
    assert.match(none.json.errors[0].message, /at least 1: to start nothing, pause the queue/);
    const unknown = await act(`/${a}`, { limits: { speed: 1 } }, "PATCH");
    assert.match(unknown.json.errors[0].path, /limits\/speed/);
  });

  test("are described and limited; what is not named stays, null takes it away", async () => {
    await submit(a);
    const patch = (body: object) => act(`/${a}`, body, "PATCH");
    const limits = { concurrency: 3, rate: { count: 100, seconds: 60 } };
    const first = await patch({ description: "mail", limits, reason: "provider" });
    assert.equal(first.status, 200);
    assert.deepEqual(
      [first.json.description, first.json.limits],
      ["mail", { ...limits, per_key: null }],
    );
    const second = await patch({ limits: { concurrency: null } });
    assert.deepEqual(second.json.limits, { concurrency: null, rate: limits.rate, per_key: null });
    assert.equal((await patch({ limits: null })).json.limits, null);
    await patch({ description: "mail" });
    const rows = await box.database.intake`
      select action, reason, before, after from audit_log where object_id = ${a} order by id`;
    assert.deepEqual(
      rows.map(({ action, before, after }) => [action, before, after]),
      [
        [
          "queue.update",
          { description: "", concurrency: null, rate: null },
          { description: "mail", ...limits },
        ],
        ["queue.update", { concurrency: 3 }, { concurrency: null }],
        ["queue.update", { rate: limits.rate }, { rate: null }],
      ],
    );
    assert.equal(rows[0]!.reason, "provider");
  });

  test("a limit holds from the next job that starts on, and a higher one at once", async () => {
    const jobs = [await submit(a), await submit(a), await submit(a), await submit(a)];
    await act(`/${a}`, { limits: { concurrency: 1 } }, "PATCH");
    const hand = await worker();
    const held = async () => (await queueOf(a)).running;
    await eventually(async () => (await held()) === 1, "one runs");
    await act(`/${a}`, { limits: { concurrency: 3 } }, "PATCH");
    await eventually(async () => (await held()) === 3, "three run");
    await act(`/${a}`, { limits: null }, "PATCH");
    for (const id of jobs) await hand.take(id);
  });

  test("a workflow is withdrawn whole: what waits is cancelled, what runs leaves its slot", async () => {
    const hand = await worker({ concurrency: 1 });
    const jobs = [
      { key: "run", ...job(a) },
      { key: "wait", ...job(a) },
      { key: "after", ...job(a), depends_on: ["run"] },
    ];
    const flow = (await box.call("POST", `${O}/workflows`, { name: "build", jobs })).json;
    const running = await eventually(() => {
      const some = hand.frames.flatMap((f) => (f.type === "assign" ? f.jobs : []));
      return some[0];
    }, "one runs");
    hand.start(running);
    await box.reaches(running.job, "running");
    const path = `${V1}/workflows/${flow.id}`;
    const { status, json } = await box.call("POST", `${path}/cancel`, { reason: "withdrawn" });
    assert.deepEqual([status, json], [200, { affected: 3, pending: 2, running: 1 }]);
    await eventually(() => hand.frames.some(({ type }) => type === "cancel"), "it is asked");
    hand.end(running, { outcome: "cancelled" });
    await eventually(
      async () => (await box.call("GET", path)).json.state === "cancelled",
      "the workflow is cancelled",
    );
    const slots = (await box.call("GET", `${V1}/workers/${hand.id}/slots`)).json.items;
    assert.deepEqual(slots, [{ slot: 1, state: "idle" }]);
  });
});
