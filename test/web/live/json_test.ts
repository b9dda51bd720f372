import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Caller } from "../../../src/accounts/caller.ts";
import { superuserScope } from "../../../src/core/scope.ts";
import { createLiveEvents } from "../../../src/web/live/json.ts";
import { JOBS } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { SseReader } from "../../support/sse_reader.ts";

const ADMIN: Caller = {
  author: { name: "admin", user: null, token: null, address: null },
  scope: superuserScope(),
  via: "token",
  credential: { person: null, session: null, token: null, expiresAt: null },
};
const handler = { kind: "handler", payload: { n: 1 } };

describe("the live stream for programs", () => {
  let box: BoardBox;
  let events: (request: Request) => Promise<Response>;
  const readers: SseReader[] = [];
  before(async () => {
    box = await boardBox({ alone: true });
    const answer = createLiveEvents({
      live: box.live,
      reads: box.database.reads,
      names: box.engine.names,
      directory: box.directory,
      now: () => box.engine.now(),
    });
    events = (request) => answer(request, ADMIN);
  });
  after(async () => {
    for (const reader of readers) await reader.close();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function open(query = "", headers: Record<string, string> = {}): Promise<SseReader> {
    const response = await events(new Request(`http://b/api/v1/board/live${query}`, { headers }));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
    const reader = new SseReader(response.body!);
    readers.push(reader);
    return reader;
  }
  async function submit(name: string, more: object = {}): Promise<string> {
    const { json, status } = await box.call("POST", JOBS, { name, ...handler, ...more });
    assert.equal(status, 201);
    return json.id;
  }
  const jobsOf = (reader: SseReader, id: string) =>
    reader
      .of("job")
      .map((message) => JSON.parse(message.data))
      .filter((job) => job.id === id);

  test("tells every phase of a job once, in order, with names", async () => {
    const reader = await open("?topics=jobs");
    await reader.until(() => reader.of("snapshot").length === 1);
    const worker = await box.worker({ name: "hand-1", handlers: ["json-phases"] });
    const id = await submit("json-phases");
    const lease = await worker.take(id);
    const { job, attempt, token } = lease;
    worker.session.handle({ type: "started", jobs: [{ job, attempt, token }] });
    const report = { job, attempt, token, outcome: "succeeded" as const, run_ms: 5 };
    worker.session.handle({ type: "finished", jobs: [report] });
    await reader.until(() => jobsOf(reader, id).some((event) => event.state === "succeeded"));
    const told = jobsOf(reader, id);
    assert.deepEqual(
      told.map((event) => event.state),
      ["queued", "ready", "dispatched", "running", "succeeded"].filter((state) =>
        told.some((event) => event.state === state),
      ),
    );
    assert.ok(told.every((event) => event.name === "json-phases" && event.org === "default"));
    assert.equal(told.at(-1).worker.name, "hand-1");
    assert.equal(told.at(-1).outcome, "succeeded");
    assert.ok(reader.of("job").every((message) => message.id));
    worker.session.dropped();
  });

  test("the snapshot holds live jobs, queues, workers and counters, and its id", async () => {
    const id = await submit("json-waits", { queue: "json-queue", priority: 7 });
    const reader = await open();
    const [message] = await reader.until(() => reader.of("snapshot").length === 1);
    const snapshot = JSON.parse(message!.data);
    assert.equal(snapshot.id, message!.id);
    const job = snapshot.jobs.items.find((item: { id: string }) => item.id === id);
    assert.equal(job.state, "ready");
    assert.equal(job.priority, 7);
    assert.equal(job.queue, "json-queue");
    assert.deepEqual(snapshot.jobs.truncated, { active: false, waiting: false });
    const queue = snapshot.queues.items.find((q: { name: string }) => q.name === "json-queue");
    assert.equal(queue.states.ready, 1);
    assert.ok(snapshot.counters.ready >= 1);
    assert.ok(Array.isArray(snapshot.workers.items));
  });

  test("after a cut it goes on behind the last event that was seen", async () => {
    const first = await open("?topics=jobs");
    await first.until(() => first.of("snapshot").length === 1);
    const a = await submit("json-cut");
    await first.until(() => jobsOf(first, a).some((event) => event.state === "ready"));
    const seen = jobsOf(first, a).length;
    await first.close();
    const b = await submit("json-cut");
    await box.call("POST", `/api/v1/jobs/${a}/cancel`, {});
    const second = await open("?topics=jobs", { "last-event-id": first.lastId });
    await second.until(() => jobsOf(second, a).some((event) => event.state === "cancelled"));
    await second.until(() => jobsOf(second, b).some((event) => event.state === "ready"));
    assert.ok(seen > 0);
    assert.deepEqual(second.of("snapshot"), []);
    assert.deepEqual(
      jobsOf(second, a).map((event) => event.state),
      ["cancelled"],
    );
    const ids = second.of("job").map((message) => message.id);
    assert.equal(new Set(ids).size, ids.length);
  });

  test("an organization sees only its own, and an unknown one is 404", async () => {
    await box.database.beats`insert into org (name) values ('other') on conflict do nothing`;
    const reader = await open("?topics=jobs,counters&org=other");
    const [message] = await reader.until(() => reader.of("snapshot").length === 1);
    const snapshot = JSON.parse(message!.data);
    assert.deepEqual(snapshot.jobs.items, []);
    assert.equal(snapshot.counters.ready, 0);
    const everybody = await open("?topics=jobs");
    await everybody.until(() => everybody.of("snapshot").length === 1);
    const id = await submit("json-foreign");
    await everybody.until(() => jobsOf(everybody, id).length > 0);
    assert.deepEqual(jobsOf(reader, id), []);
    const unknown = await box.get("/api/v1/board/live?org=nobody");
    assert.equal(unknown.status, 404);
    assert.equal(unknown.headers.get("content-type"), "application/problem+json");
  });

  test("counters, queues and workers are told when they change", async () => {
    const reader = await open("?topics=counters,queues,workers");
    await reader.until(() => reader.of("snapshot").length === 1);
    await submit("json-counted", { queue: "json-counted" });
    const worker = await box.worker({ name: "json-worker", concurrency: 3 });
    const last = (event: string) =>
      reader
        .of(event)
        .map((m) => JSON.parse(m.data))
        .at(-1);
    await reader.until(() => last("queue")?.name === "json-counted");
    await reader.until(() => last("counters")?.ready > 0);
    await reader.until(() => last("worker")?.name === "json-worker");
    assert.equal(last("worker").slots, 3);
    worker.session.dropped();
    await reader.until(() => last("worker")?.gone === true);
  });

  test("an unknown topic is 422 and names those there are", async () => {
    const response = await events(new Request("http://b/x?topics=jobs,secrets"));
    assert.equal(response.status, 422);
    assert.match((await response.json()).detail, /secrets.*jobs, queues, workers, counters/);
  });
});
