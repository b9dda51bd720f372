import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Client, type ClientOptions } from "../../src/sdk/client.ts";
import { ClientError } from "../../src/sdk/client_error.ts";
import {
  cut,
  events,
  json,
  problem,
  type ScriptedApi,
  scriptedApi,
  silence,
} from "./scripted_api.ts";

const ID = "0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e";
let api: ScriptedApi;

beforeEach(async () => {
  api = await scriptedApi();
});
afterEach(() => api.close());

function clientOf(options: Partial<ClientOptions> = {}): Client {
  return new Client({ url: api.url, token: "t".repeat(32), patienceMs: 3_000, ...options });
}

async function refused(promise: Promise<unknown>): Promise<ClientError> {
  const error = await promise.then(
    () => assert.fail("it was not refused"),
    (reason) => reason,
  );
  assert.ok(error instanceof ClientError, String(error));
  return error;
}

describe("a client", () => {
  test("sends the token, the organization and the job as they are", async () => {
    api.script(json(201, { id: ID }));
    const job = { name: "hello", payload: { command: ["echo", "hi"] } };
    const answer = await clientOf({ org: "acme" }).submit(job);
    assert.equal(answer.id, ID);
    const [request] = api.seen;
    assert.equal(request?.method, "POST");
    assert.equal(request?.path, "/api/v1/orgs/acme/jobs");
    assert.equal(request?.headers.authorization, `Bearer ${"t".repeat(32)}`);
    assert.deepEqual(JSON.parse(request?.body ?? ""), job);
  });

  test("keeps the path that a proxy puts before the API", async () => {
    await clientOf({ url: `${api.url}/builds/` }).job(ID);
    assert.equal(api.seen[0]?.path, `/builds/api/v1/jobs/${ID}`);
  });

  test("refuses addresses and tokens that can be none", () => {
    for (const url of ["", "localhost:4600", "ftp://host", "http://me:secret@host", "//host"]) {
      assert.throws(() => new Client({ url, token: "x" }), TypeError, url);
    }
    for (const token of ["", "two words", "line\nbreak", "käse"]) {
      assert.throws(() => new Client({ url: api.url, token }), TypeError, token);
    }
  });

  test("lets no id lead to another path", async () => {
    const client = clientOf();
    await client.job("../orgs/default/jobs?x=1#y");
    assert.equal(api.seen[0]?.path, "/api/v1/jobs/..%2Forgs%2Fdefault%2Fjobs%3Fx%3D1%23y");
    for (const id of ["", ".", ".."]) assert.throws(() => client.job(id), TypeError);
  });

  test("reads a list page by page, only as far as it is asked", async () => {
    const page = (ids: string[], next_cursor: string | null) =>
      json(200, { items: ids.map((id) => ({ id })), next_cursor });
    api.script(page(["a", "b"], "one"), page([], "two"), page(["c"], null));
    const ids: string[] = [];
    for await (const job of clientOf().jobs({ state: ["failed", "cancelled"], tags: { k: "v" } })) {
      ids.push(job.id);
    }
    assert.deepEqual(ids, ["a", "b", "c"]);
    assert.deepEqual(
      api.seen.map((request) => request.path),
      ["", "&cursor=one", "&cursor=two"].map(
        (more) => `/api/v1/orgs/default/jobs?state=failed&state=cancelled&tag=k%3Av${more}`,
      ),
    );
    api.script(page(["a"], "one"));
    for await (const _job of clientOf().jobs()) break;
    assert.equal(api.seen.length, 4);
  });

  test("sends nothing for no jobs and refuses more than fit one call", async () => {
    assert.deepEqual(await clientOf().submitMany([]), []);
    const many = Array.from({ length: 10_001 }, () => ({
      name: "x",
      payload: { command: ["true"] },
    }));
    await assert.rejects(clientOf().submitMany(many), RangeError);
    assert.equal(api.seen.length, 0);
  });

  test("waits until a job has ended, telling each look", async () => {
    api.script(
      json(200, { id: ID, state: "ready" }),
      json(200, { id: ID, state: "running" }),
      json(200, { id: ID, state: "failed" }),
    );
    const states: string[] = [];
    const job = await clientOf().wait(ID, { onChange: ({ state }) => states.push(state) });
    assert.equal(job.state, "failed");
    assert.deepEqual(states, ["ready", "running", "failed"]);
  });
});

describe("a client whose server is away", () => {
  test("repeats a POST with the same key, so that it adds nothing twice", async () => {
    api.script(cut, problem(503, { title: "Not now" }), cut, json(201, { id: ID }));
    assert.equal((await clientOf().submit({ name: "x", payload: { command: ["true"] } })).id, ID);
    const keys = api.seen.map((request) => request.headers["idempotency-key"]);
    assert.equal(api.seen.length, 4);
    assert.equal(new Set(keys).size, 1);
    assert.match(String(keys[0]), /^[0-9a-f-]{36}$/);
  });

  test("uses another key for another call, and the caller's own where it has one", async () => {
    const client = clientOf();
    const job = { name: "x", payload: { command: ["true"] } };
    await client.submit(job);
    await client.submit(job);
    await client.submit(job, { idempotencyKey: "mine" });
    const keys = api.seen.map((request) => request.headers["idempotency-key"]);
    assert.notEqual(keys[0], keys[1]);
    assert.equal(keys[2], "mine");
  });

  test("waits for its own first try where that is still in work", async () => {
    api.script(
      problem(409, { type: "/docs#problem-in_progress" }, { "retry-after": "0" }),
      json(200, { id: ID }),
    );
    assert.equal((await clientOf().cancel(ID)).id, ID);
    assert.equal(api.seen.length, 2);
  });

  test("does not repeat what the server refused", async () => {
    for (const status of [400, 401, 403, 404, 409, 422, 500]) {
      api.script(problem(status, { detail: "No." }));
      const error = await refused(clientOf().retry(ID));
      assert.equal(error.status, status);
      assert.equal(error.message, "No.");
    }
    assert.equal(api.seen.length, 7);
  });

  test("gives up after its patience, with a sentence and the cause", async () => {
    await api.close();
    const started = performance.now();
    const error = await refused(clientOf({ patienceMs: 400 }).job(ID));
    assert.ok(error.unreached);
    assert.match(error.message, /^Cannot reach Signalbox at http:\/\/127\.0\.0\.1:\d+: \w/);
    assert.ok(error.cause);
    assert.ok(performance.now() - started < 3_000);
    api = await scriptedApi();
  });

  test("tells before each repeat", async () => {
    api.script(cut, cut, json(200, { id: ID }));
    const told: string[] = [];
    await clientOf({ onRetry: (error) => told.push(error.message) }).job(ID);
    assert.equal(told.length, 2);
  });

  test("takes silence for absence", async () => {
    api.script(silence, json(200, { id: ID }));
    assert.equal((await clientOf({ timeoutMs: 200 }).job(ID)).id, ID);
    api.script(silence);
    const error = await refused(clientOf({ timeoutMs: 200, patienceMs: 0 }).job(ID));
    assert.match(error.message, /no answer in 0\.2 s/);
  });

  test("ends at once when its signal aborts, whatever it waits for", async () => {
    api.script(silence, cut, cut, cut, cut, cut, cut);
    for (const patienceMs of [60_000, 60_000]) {
      const controller = new AbortController();
      const call = clientOf({ patienceMs }).job(ID, { signal: controller.signal });
      setTimeout(() => controller.abort(new Error("enough")), 50);
      await assert.rejects(call, /enough/);
    }
    const aborted = AbortSignal.abort(new Error("before"));
    const before = api.seen.length;
    await assert.rejects(clientOf().job(ID, { signal: aborted }), /before/);
    assert.equal(api.seen.length, before);
  });

  test("follows no redirect, which could lead its token elsewhere", async () => {
    api.script(json(302, {}, { location: "http://elsewhere.example/" }));
    const error = await refused(clientOf().job(ID));
    assert.match(error.message, /elsewhere\.example/);
    assert.equal(api.seen.length, 1);
  });
});

describe("a client's errors", () => {
  test("carry the problem document and say every place that is wrong", async () => {
    api.script(
      problem(422, {
        detail: "/jobs/3/queue: must be a queue",
        errors: [
          { path: "/jobs/3/queue", in: "body", message: "must be a queue" },
          { path: "/jobs/4/payload/command/0", in: "body", message: "must be text" },
        ],
      }),
    );
    const error = await refused(clientOf().submit({ name: "x" }));
    assert.equal(error.problem?.errors?.length, 2);
    assert.equal(
      error.message,
      "/jobs/3/queue: must be a queue; jobs[4].payload.command[0]: must be text",
    );
  });

  test("make something of a proxy's page", async () => {
    api.script((_request, response) => {
      response.writeHead(404, "Not Found", { "content-type": "text/html" });
      response.end("<html><h1>404</h1>\n<p>nginx</p></html>");
    });
    assert.equal((await refused(clientOf().job(ID))).message, "404 nginx");
    api.script((_request, response) => response.end("<html>welcome</html>"));
    assert.match((await refused(clientOf().job(ID))).message, /not JSON.*Signalbox server\?/);
  });
});

describe("a log that is followed", () => {
  const log = (offset: number, text: string) => ({
    event: "log",
    id: `1:${offset + text.length}`,
    attempt: 1,
    offset,
    text,
  });
  const end = { event: "end", attempt: 1, state: "succeeded", outcome: "succeeded", exit_code: 0 };

  test("comes whole and once over broken connections", async () => {
    api.script(
      events([log(0, "one ")], { broken: true }),
      cut,
      events([log(4, "two "), { event: "ping" }]),
      problem(503, {}),
      events([log(8, "three"), end]),
    );
    let text = "";
    for await (const piece of clientOf().log(ID, { follow: true })) text += piece;
    assert.equal(text, "one two three");
    const last = api.seen.map((request) => request.headers["last-event-id"]);
    assert.equal(last[0], undefined);
    assert.equal(last.at(-1), "1:8");
  });

  test("tells where attempts begin and how the last one ended", async () => {
    api.script(events([log(0, "a"), { event: "attempt", attempt: 2 }, { ...end, attempt: 2 }]));
    const types: string[] = [];
    for await (const event of clientOf().follow(ID)) types.push(`${event.type} ${event.attempt}`);
    assert.deepEqual(types, ["log 1", "attempt 2", "end 2"]);
  });

  test("ends with the reader's signal", async () => {
    api.script((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`event: log\ndata: {"attempt":1,"offset":0,"text":"x"}\n\n`);
    });
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _piece of clientOf().log(ID, { follow: true, signal: controller.signal })) {
        controller.abort(new Error("enough"));
      }
    })();
    await assert.rejects(reading, /enough/);
  });

  test("refuses a job that is not there, and a stream that always breaks", async () => {
    api.script(problem(404, { detail: "There is no such job." }));
    const first = clientOf().log(ID, { follow: true });
    assert.match((await refused(first.next())).message, /no such job/);
    for (let n = 0; n < 50; n++) api.script(events([]));
    const second = clientOf().log(ID, { follow: true, patienceMs: 300 });
    assert.ok((await refused(second.next())).unreached);
  });
});
