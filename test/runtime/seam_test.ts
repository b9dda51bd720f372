/** The seam behaves the same on Bun and on Deno: this file runs under both. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import {
  AddressInUse,
  closeReason,
  type HttpServer,
  type ServerSocket,
} from "../../src/runtime/contract.ts";
import { runtime } from "../../src/runtime/runtime.ts";

const MAX = 1000;
let server: HttpServer;
let streamCancelled = Promise.withResolvers<void>();
let ended = Promise.withResolvers<{ code: number; reason: string }>();
let accepted = Promise.withResolvers<ServerSocket>();

before(async () => {
  server = await runtime.serve({
    host: "127.0.0.1",
    port: 0,
    maxFrameBytes: MAX,
    fetch(request, context) {
      const { pathname } = new URL(request.url);
      if (pathname === "/stream") return stream();
      if (pathname === "/broken") throw new Error("a secret inside");
      if (pathname === "/peer") return Response.json({ address: context.remoteAddress });
      if (pathname !== "/socket") return new Response(request.body, { headers: request.headers });
      const answer = context.upgrade({
        open: (socket) => accepted.resolve(socket),
        message: (socket, text) => socket.send(`echo ${text}`),
        close: (code, reason) => ended.resolve({ code, reason }),
      });
      return answer ?? new Response("expected a websocket", { status: 426 });
    },
  });
});

after(() => server.stop(true));

function stream(): Response {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => streamCancelled.resolve(),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function url(path: string, scheme = "http"): string {
  return `${scheme}://127.0.0.1:${server.port}${path}`;
}

/** Opens a socket; `closed` and `next` settle with what the client sees. */
async function open() {
  ended = Promise.withResolvers();
  accepted = Promise.withResolvers();
  const socket = new WebSocket(url("/socket", "ws"));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason });
  });
  const next = () =>
    new Promise<string>((resolve) => {
      socket.onmessage = ({ data }) => resolve(data as string);
    });
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  return { socket, closed, next };
}

test("a request's method, headers and body arrive, and its answer leaves", async () => {
  const answer = await fetch(url("/echo"), {
    method: "POST",
    body: "héllo",
    headers: { "x-own": "1" },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("x-own"), "1");
  assert.equal(await answer.text(), "héllo");
});

test("the handler knows the peer's address", async () => {
  const answer = (await (await fetch(url("/peer"))).json()) as { address: string };
  assert.equal(answer.address, "127.0.0.1");
});

test("an error in the handler is a bare 500", async () => {
  const answer = await fetch(url("/broken"));
  assert.equal(answer.status, 500);
  assert.doesNotMatch(await answer.text(), /secret/);
});

test("a socket echoes text of up to the limit", async () => {
  const { socket, next } = await open();
  const answer = next();
  socket.send("x".repeat(MAX));
  assert.equal(await answer, `echo ${"x".repeat(MAX)}`);
  socket.close(1000, "done");
  assert.equal((await ended.promise).code, 1000);
});

test("a frame above the limit, counted in bytes, ends its connection with 1009", async () => {
  for (const frame of ["x".repeat(MAX + 1), "é".repeat(MAX / 2 + 1), "x".repeat(MAX * 50)]) {
    const { socket, closed } = await open();
    socket.send(frame);
    assert.equal((await closed).code, 1009);
    assert.equal((await ended.promise).code, 1009);
  }
});

test("a binary frame ends its connection with 1003", async () => {
  const { socket, closed } = await open();
  socket.send(new Uint8Array([1, 2, 3]));
  assert.deepEqual(await closed, { code: 1003, reason: "text frames only" });
});

test("the server closes with its own code and a reason cut to fit", async () => {
  const { closed } = await open();
  (await accepted.promise).close(4001, "é".repeat(200));
  const seen = await closed;
  assert.equal(seen.code, 4001);
  assert.equal(seen.reason, "é".repeat(60));
});

test("sending to a closed socket does nothing", async () => {
  const { socket } = await open();
  const own = await accepted.promise;
  socket.close();
  await ended.promise;
  own.send("too late");
  own.close(1000, "again");
});

test("a peer that does not read is cut off, and the server's memory with it", async () => {
  accepted = Promise.withResolvers();
  ended = Promise.withResolvers();
  const peer = connect(server.port, "127.0.0.1");
  peer.on("error", () => {});
  peer.write(
    "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const own = await accepted.promise;
  peer.pause();
  let most = 0;
  for (let sent = 0; sent < 64; sent++) {
    own.send("x".repeat(1024 * 1024));
    most = Math.max(most, own.buffered());
  }
  assert.ok(most < 20 * 1024 * 1024, `${most} bytes were kept`);
  assert.equal((await ended.promise).code, 1013);
  peer.destroy();
});

test("a request that is no upgrade is answered as one", async () => {
  assert.equal((await fetch(url("/socket"))).status, 426);
});

test("a live stream is cancelled when its reader goes away", async () => {
  streamCancelled = Promise.withResolvers();
  const leave = new AbortController();
  const answer = await fetch(url("/stream"), { signal: leave.signal });
  await answer.body!.getReader().read();
  leave.abort();
  await streamCancelled.promise;
});

test("a taken port is told as such", async () => {
  const again = { host: "127.0.0.1", port: server.port, maxFrameBytes: MAX };
  const second = runtime.serve({ ...again, fetch: () => new Response() });
  await assert.rejects(second, AddressInUse);
});

test("a forced stop cuts live streams and sockets", async () => {
  const own = await runtime.serve({
    host: "127.0.0.1",
    port: 0,
    maxFrameBytes: MAX,
    fetch: (_, context) => context.upgrade({ open() {}, message() {}, close() {} }) ?? stream(),
  });
  const answer = await fetch(`http://127.0.0.1:${own.port}/`);
  const reader = answer.body!.getReader();
  await reader.read();
  const socket = new WebSocket(`ws://127.0.0.1:${own.port}/`);
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  const rest = reader.read().catch(() => ({ done: true }));
  void own.stop();
  await own.stop(true);
  await closed;
  assert.equal((await rest).done, true);
});

test("signals reach their handler until it is taken away", async () => {
  const heard = Promise.withResolvers<void>();
  const stop = runtime.onSignal("SIGTERM", () => heard.resolve());
  const keep = runtime.onSignal("SIGTERM", () => {});
  process.kill(process.pid, "SIGTERM");
  await heard.promise;
  stop();
  keep();
});

test("name, version, environment and arguments are known", () => {
  assert.match(runtime.name, /^(bun|deno)$/);
  assert.match(runtime.version, /^\d+\.\d+/);
  assert.ok(runtime.env.PATH);
  assert.ok(Array.isArray(runtime.args));
});

test("a close reason is cut between characters", () => {
  assert.equal(closeReason("short"), "short");
  assert.equal(closeReason("x".repeat(123)).length, 123);
  assert.equal(closeReason("€".repeat(50)), "€".repeat(40));
  assert.ok(!closeReason(`a${"€".repeat(50)}`).includes("\ufffd"));
});
