import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { after, before, test } from "node:test";
import { jobWatchOf } from "../../src/api/jobs/job_watch.ts";
import { FRAME_MAX_BYTES } from "../../src/messages/frames.ts";
import type { HttpServer } from "../../src/runtime/contract.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { readEvents } from "../../src/sdk/event_stream.ts";
import { type ApiBox, apiBox, hello, JOBS, TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

let box: ApiBox;
let server: HttpServer;
let base: string;
before(async () => {
  box = await apiBox();
  server = await runtime.serve({
    host: "127.0.0.1",
    port: 0,
    maxFrameBytes: FRAME_MAX_BYTES,
    fetch: (request) => box.fetch(request),
  });
  base = `http://127.0.0.1:${server.port}`;
});
after(async () => {
  await server.stop(true);
  await box.close();
});

const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

test("a log is followed over a real connection, piece by piece", async () => {
  const worker = await box.worker();
  const { json: job } = await box.call("POST", JOBS, hello);
  const assignment = await worker.take(job.id);
  worker.start(assignment);
  const response = await fetch(`${base}${V1}/jobs/${job.id}/log/stream`, { headers });
  assert.equal(response.headers.get("x-accel-buffering"), "no");
  const texts: string[] = [];
  const reading = (async () => {
    for await (const event of readEvents(response.body!)) {
      if (event.event === "log") texts.push(JSON.parse(event.data).text);
    }
  })();
  for (const [i, piece] of ["one ", "two ", "three"].entries()) {
    await box.logs.append(job.id, 1, i * 4, new TextEncoder().encode(piece));
    await eventually(() => texts.length === i + 1, piece);
  }
  worker.end(assignment, { log_bytes: 13 });
  await reading;
  assert.equal(texts.join(""), "one two three");
  worker.leave();
});

test("a follower that hangs up is noticed", async () => {
  const watch = jobWatchOf(box.engine.feed);
  const { json: job } = await box.call("POST", JOBS, { ...hello, run_at: "2999-01-01T00:00:00Z" });
  const gone = new AbortController();
  const path = `${base}${V1}/jobs/${job.id}/log/stream`;
  const response = await fetch(path, { headers, signal: gone.signal });
  await response.body!.getReader().read();
  await eventually(() => watch.size === 1, "followed");
  gone.abort();
  await eventually(() => watch.size === 0, "let go");
});

test("a question for a stream's head leaves nothing behind", async () => {
  const { json: job } = await box.call("POST", JOBS, { ...hello, run_at: "2999-01-01T00:00:00Z" });
  for (const path of [`${V1}/jobs/${job.id}/log/stream`, `${V1}/board/live`]) {
    const response = await fetch(`${base}${path}`, { method: "HEAD", headers });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  }
  assert.equal(jobWatchOf(box.engine.feed).size, 0);
});

test("a body that is too large is refused before it has all come", async () => {
  const body = new Uint8Array(32 * 1024 * 1024 + 1).fill(32);
  const response = await fetch(`${base}${JOBS}`, { method: "POST", headers, body });
  assert.equal(response.status, 413);
  assert.equal((await response.json()).title, "Too large");
});

/** The first line of the answer to bytes that no client library would send. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(server.port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
      if (answer.includes("\r\n")) socket.destroy();
    });
    socket.on("close", () => resolve(answer.split("\r\n")[0]!));
    socket.on("error", reject);
  });
}

test("tricks with paths and headers end in a plain refusal", async () => {
  const auth = `Authorization: Bearer ${TOKEN}\r\n`;
  const requests = [
    `GET ${V1}/jobs/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n${auth}\r\n`,
    `GET ${V1}/jobs/%2e%2e%2f%2e%2e HTTP/1.1\r\nHost: x\r\n${auth}\r\n`,
    `GET ${V1}//jobs HTTP/1.1\r\nHost: x\r\n${auth}\r\n`,
    `GET http://evil.example${V1}/nothing HTTP/1.1\r\nHost: evil.example\r\n${auth}\r\n`,
    `POST ${JOBS} HTTP/1.1\r\nHost: x\r\n${auth}Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{`,
  ];
  for (const request of requests) {
    const line = await raw(request);
    assert.match(line, /^HTTP\/1\.1 4\d\d/, `${request.split("\r\n")[0]} → ${line}`);
  }
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
