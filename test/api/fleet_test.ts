import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RULES, RULES_VERSION } from "../../src/core/scoring/score.ts";
import { readEvents } from "../../src/sdk/event_stream.ts";
import { type ApiBox, apiBox, hello, JOBS, TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

let box: ApiBox;
before(async () => {
  box = await apiBox();
});
after(async () => {
  await box.close();
});

const QUEUES = `${V1}/orgs/default/queues`;
const queueRow = async (name: string) => {
  const { json } = await box.call("GET", QUEUES);
  return json.items.find((row: { name: string }) => row.name === name);
};

test("a queue shows what waits, what runs and for how long; paused, nothing leaves it", async () => {
  const worker = await box.worker({ name: "queue-worker" });
  const queue = "mail";
  const first = (await box.call("POST", JOBS, { ...hello, queue })).json;
  const assignment = await worker.take(first.id);
  assert.deepEqual((await box.call("POST", `${QUEUES}/${queue}/pause`, { reason: "check" })).json, {
    affected: 1,
  });
  for (let i = 0; i < 5; i += 1) await box.call("POST", JOBS, { ...hello, queue });
  const paused = await eventually(async () => {
    const row = await queueRow(queue);
    return row.pending === 5 && row.running === 1 && row.latency_seconds > 0 ? row : undefined;
  }, "five wait, one runs");
  assert.ok(paused.paused_at);
  assert.equal(paused.paused_by, "admin");
  assert.equal(paused.pause_reason, "check");
  assert.equal(paused.limits, null);
  const again = await box.call("POST", `${QUEUES}/${queue}/pause`);
  assert.deepEqual(again.json, { affected: 0 });
  worker.end(assignment);
  await box.reaches(first.id, "succeeded");
  assert.equal((await queueRow(queue)).pending, 5);
  assert.equal((await box.call("POST", `${QUEUES}/${queue}/resume`, {})).status, 200);
  await eventually(async () => (await queueRow(queue)).running === 5, "all five run");
  assert.equal((await queueRow(queue)).paused_at, null);
  worker.leave();
});

test("unknown queues are 404, unknown actions are refused", async () => {
  assert.equal((await box.call("POST", `${QUEUES}/no-such-queue/pause`, {})).status, 404);
  assert.equal((await box.call("POST", `${V1}/orgs/nobody/queues/default/pause`)).status, 404);
  assert.equal((await box.call("POST", `${QUEUES}/default/explode`, {})).status, 422);
});

test("queues are listed in exact pages", async () => {
  for (const queue of ["p1", "p2", "p3", "p4"]) {
    await box.call("POST", JOBS, { ...hello, queue, run_at: "2999-01-01T00:00:00Z" });
  }
  const all = (await box.call("GET", QUEUES)).json.items.map((row: { name: string }) => row.name);
  const paged: string[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { json } = await box.call("GET", `${QUEUES}?limit=2${next}`);
    paged.push(...json.items.map((row: { name: string }) => row.name));
    cursor = json.next_cursor;
  } while (cursor !== null);
  assert.deepEqual(paged, all);
});

test("connected workers are listed with what they offer and hold", async () => {
  const worker = await box.worker({
    name: "builder",
    pool: "big",
    system: "x86_64-linux",
    features: ["kvm"],
    concurrency: 3,
    resources: { cpus: 8, ram_mb: 1024 },
  });
  const { json: job } = await box.call("POST", JOBS, { ...hello, requirements: { pool: "big" } });
  const assignment = await worker.take(job.id);
  const found = await eventually(async () => {
    const { json } = await box.call("GET", `${V1}/orgs/default/workers`);
    const row = json.items.find((item: { id: string }) => item.id === worker.id);
    return row?.used === 1 ? row : undefined;
  }, "listed");
  assert.equal(found.name, "builder");
  assert.equal(found.state, "ready");
  assert.equal(found.org, "default");
  assert.equal(found.slots, 3);
  assert.equal(found.system, "x86_64-linux");
  assert.deepEqual(found.features, ["kvm"]);
  assert.deepEqual(found.resources, { cpus: 8, ram_mb: 1024 });
  assert.equal(found.metrics.cpu_pct, null);
  const { json: pools } = await box.call("GET", `${V1}/pools`);
  const pool = pools.items.find((item: { name: string }) => item.name === "big");
  assert.deepEqual([pool.slots, pool.used], [3, 1]);
  assert.equal(pool.workers[0].jobs[0].job, job.id);
  worker.end(assignment);
  await box.reaches(job.id, "succeeded");
  worker.leave();
});

test("a worker that is asked to drain hears it; one that is not there is 404", async () => {
  const worker = await box.worker();
  const asked = await box.call("POST", `${V1}/workers/${worker.id}/drain`);
  assert.deepEqual([asked.status, asked.json], [202, { draining: true }]);
  await eventually(() => worker.frames.some((frame) => frame.type === "drain"), "drain");
  await eventually(async () => {
    const { json } = await box.call("GET", `${V1}/orgs/default/workers`);
    const row = json.items.find((item: { id: string }) => item.id === worker.id);
    return row?.state === "draining";
  }, "shown as draining");
  const nobody = "0198c0de-8f00-7abc-8def-0123456789ab";
  assert.equal((await box.call("POST", `${V1}/workers/${nobody}/drain`)).status, 404);
  worker.leave();
});

test("while the instance drains nothing is dispatched", async () => {
  const worker = await box.worker();
  const on = await box.call("POST", `${V1}/admin/draining`, { enabled: true });
  assert.deepEqual([on.json.enabled, on.json.by], [true, "admin"]);
  const { json: job } = await box.call("POST", JOBS, hello);
  await eventually(async () => {
    const { text } = await box.call("GET", `${V1}/jobs/${job.id}/explain`);
    return /drain/i.test(text);
  }, "said");
  assert.equal((await box.call("GET", `${V1}/jobs/${job.id}`)).json.state, "ready");
  await box.call("POST", `${V1}/admin/draining`, { enabled: false });
  worker.end(await worker.take(job.id));
  await box.reaches(job.id, "succeeded");
  worker.leave();
});

test("organizations are listed", async () => {
  const { json } = await box.call("GET", `${V1}/orgs`);
  assert.deepEqual(
    json.items.map((org: { name: string }) => org.name),
    ["default"],
  );
});

test("the board's data names jobs on workers, jobs in line, and each of them whole", async () => {
  const worker = await box.worker({ name: "board-worker" });
  const { json: held } = await box.call("POST", JOBS, { ...hello, name: "held" });
  const { json: stuck } = await box.call("POST", JOBS, {
    ...hello,
    name: "stuck",
    requirements: { features: ["never"] },
  });
  const assignment = await worker.take(held.id);
  await eventually(async () => {
    const { json } = await box.call("GET", `${V1}/board/jobs/dispatched?org=default`);
    const row = json.items.find((item: { id: string }) => item.id === held.id);
    return row?.worker.id === worker.id && row.name === "held" && typeof row.score === "number";
  }, "on a worker");
  const { json: waiting } = await box.call("GET", `${V1}/board/jobs/pending`);
  assert.ok(waiting.items.some((item: { id: string }) => item.id === stuck.id));
  const { json: inspection } = await box.call("GET", `${V1}/board/jobs/${held.id}`);
  assert.equal(inspection.job.id, held.id);
  assert.equal(inspection.attempts.length, 1);
  const terms = inspection.explanation.dispatch.terms;
  assert.equal(terms.length, RULES.length);
  const sum = terms.reduce(
    (total: number, term: { contribution: number }) => total + term.contribution,
    0,
  );
  assert.ok(Math.abs(sum - inspection.explanation.dispatch.score) < 1e-3);
  assert.equal((await box.call("GET", `${V1}/board/jobs/pending?org=nobody`)).status, 404);
  worker.end(assignment);
  await box.reaches(held.id, "succeeded");
  worker.leave();
});

test("the scoring rules say what they reward", async () => {
  const { json } = await box.call("GET", `${V1}/board/scoring/rules`);
  assert.equal(json.rules_version, RULES_VERSION);
  assert.deepEqual(
    json.items.map((item: { rule: string }) => item.rule),
    RULES.map((rule) => rule.name),
  );
});

test("the live stream begins with a snapshot and tells each phase of a job", async () => {
  const response = await box.fetch(
    new Request(`http://box${V1}/board/live?topics=jobs,counters&org=default`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    }),
  );
  assert.equal(response.status, 200);
  const seen: { event: string; data: string }[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const event of readEvents(response.body!)) {
      seen.push(event);
      if (stop.signal.aborted) break;
    }
  })();
  await eventually(() => seen.some((event) => event.event === "snapshot"), "snapshot");
  assert.deepEqual(Object.keys(JSON.parse(seen[0]!.data)).sort(), ["counters", "id", "jobs"]);
  const worker = await box.worker();
  const { json: job } = await box.call("POST", JOBS, hello);
  worker.end(await worker.take(job.id));
  await eventually(() => {
    const own = seen.filter((e) => e.event === "job" && JSON.parse(e.data).id === job.id);
    return own.some((event) => JSON.parse(event.data).state === "succeeded");
  }, "its end");
  stop.abort();
  await box.call("POST", JOBS, hello);
  await reading;
  worker.leave();
});

test("the live stream refuses topics and organizations that are not", async () => {
  assert.equal((await box.call("GET", `${V1}/board/live?topics=jobs,secrets`)).status, 422);
  assert.equal((await box.call("GET", `${V1}/board/live?org=nobody`)).status, 404);
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
