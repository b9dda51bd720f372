import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { openFolderLogStore } from "../../src/blobs/folder_log_store.ts";
import type { LogStore } from "../../src/blobs/log_store.ts";
import { FRAME_MAX_BYTES } from "../../src/messages/frames.ts";
import { createWorkerEndpoint } from "../../src/protocol/endpoint.ts";
import type { HttpServer } from "../../src/runtime/contract.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { eventually } from "../support/eventually.ts";
import { admitOnly } from "../support/worker_door.ts";

const TOKEN = "worker-token-0123456789abcdef0123456789";
const quiet = { info() {}, warn() {}, error() {} };
let folder: string;
let logs: LogStore;
let server: HttpServer;
let grants: unknown[];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "endpoint-"));
  logs = await openFolderLogStore(folder);
  grants = [];
  const endpoint = createWorkerEndpoint({
    engine: {
      connectWorker: async (_hello, grant) => {
        grants.push(grant);
        return { ok: false, code: "stopping", message: "The server stops." };
      },
    },
    logs,
    log: quiet,
    access: admitOnly(TOKEN),
    helloTimeoutMs: 1_000,
  });
  server = await runtime.serve({
    host: "127.0.0.1",
    port: 0,
    maxFrameBytes: FRAME_MAX_BYTES,
    fetch: endpoint,
  });
});

after(async () => {
  await server.stop(true);
  await logs.close();
  await rm(folder, { recursive: true });
});

/** What a client hears: the frames, and how it ended. */
function talk(say: (socket: WebSocket) => void, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/worker/v1`, { headers });
  const heard: { frames: unknown[]; status?: number } = { frames: [] };
  return new Promise<{ frames: unknown[]; status?: number; code?: number }>((resolve) => {
    socket.on("open", () => say(socket));
    socket.on("message", (data) => heard.frames.push(JSON.parse(data.toString())));
    socket.on("unexpected-response", (_request, response) =>
      resolve({ ...heard, status: response.statusCode }),
    );
    socket.on("error", () => {});
    socket.on("close", (code) => resolve({ ...heard, code }));
  });
}

const url = () => `http://127.0.0.1:${server.port}/worker/v1`;

test("a request that is no upgrade is told what this is", async () => {
  const response = await fetch(url());
  assert.equal(response.status, 426);
  assert.equal(response.headers.get("upgrade"), "websocket");
});

test("a page of another site cannot open the socket", async () => {
  for (const origin of ["https://evil.example", "null", "http://127.0.0.1", "not a url"]) {
    const response = await fetch(url(), { headers: { origin } });
    assert.equal(response.status, 403, origin);
  }
  const own = await fetch(url(), { headers: { origin: `http://127.0.0.1:${server.port}` } });
  assert.equal(own.status, 426);
});

test("silence, noise, binary and oversized frames each end their connection", async () => {
  const [silent, noisy, binary, oversized] = await Promise.all([
    talk(() => {}),
    talk((socket) => socket.send("hello?")),
    talk((socket) => socket.send(new Uint8Array([1, 2, 3]))),
    talk((socket) => socket.send("x".repeat(FRAME_MAX_BYTES + 1))),
  ]);
  assert.equal(silent.code, 4408);
  assert.equal(noisy.code, 1007);
  assert.match(JSON.stringify(noisy.frames), /"malformed"/);
  assert.equal(binary.code, 1003);
  // Deno may cut the socket while the rest of the frame is still on its way: then no code arrives.
  assert.ok(oversized.code === 1009 || ("Deno" in globalThis && oversized.code === 1006));
});

test("the server's worker token opens organization default, and no other token opens anything", async () => {
  const hello = (token: string) =>
    JSON.stringify({
      type: "hello",
      protocol: 1,
      version: "0",
      worker_id: crypto.randomUUID(),
      token,
      name: "w",
      pid: 1,
      host: "h",
      concurrency: 1,
    });
  const wrong = await talk((socket) => socket.send(hello(TOKEN.toUpperCase())));
  assert.equal(wrong.code, 4401);
  assert.deepEqual(grants, []);
  const right = await talk((socket) => socket.send(hello(TOKEN)));
  assert.equal(right.code, 1001);
  assert.deepEqual(grants, [{ org: "default" }]);
});

test("without a worker token nobody gets in", async () => {
  const closed = createWorkerEndpoint({
    engine: { connectWorker: () => assert.fail("reached the engine") },
    logs,
    log: quiet,
    access: admitOnly(undefined),
  });
  const sent: string[] = [];
  closed(new Request(url()), {
    remoteAddress: undefined,
    upgrade(handlers) {
      const socket = { buffered: () => 0, send: (text: string) => sent.push(text), close() {} };
      handlers.open(socket);
      handlers.message(socket, JSON.stringify({ type: "hello", protocol: 1, token: "" }));
      return new Response(null);
    },
  });
  await eventually(() => sent.length > 0, "the refusal");
  assert.match(sent[0] ?? "", /unauthorized/);
});

describe("sockets that have said nothing yet", () => {
  const places = { each: 2, all: 4 };
  let narrow: HttpServer;
  /** Where the next connections come from, as the server is told. */
  let from = "";
  before(async () => {
    const endpoint = createWorkerEndpoint({
      engine: {
        connectWorker: async () => ({ ok: false, code: "stopping", message: "The server stops." }),
      },
      ...{ logs, log: quiet, access: admitOnly(TOKEN), helloTimeoutMs: 1_000, silent: places },
    });
    narrow = await runtime.serve({
      ...{ host: "127.0.0.1", port: 0, maxFrameBytes: FRAME_MAX_BYTES },
      fetch: (request, { upgrade }) => endpoint(request, { upgrade, remoteAddress: from }),
    });
  });
  after(() => narrow.stop(true));

  const address = () => `http://127.0.0.1:${narrow.port}/worker/v1`;
  /** The socket once it is open, or the answer that it got instead. */
  function connect(): Promise<WebSocket | IncomingMessage> {
    const socket = new WebSocket(address().replace("http", "ws"));
    socket.on("error", () => {});
    return new Promise((resolve) => {
      socket.on("open", () => resolve(socket));
      socket.on("unexpected-response", (_request, response) => resolve(response));
    });
  }
  async function opened(): Promise<WebSocket> {
    const socket = await connect();
    assert.ok(
      socket instanceof WebSocket,
      `refused with ${(socket as IncomingMessage).statusCode}`,
    );
    return socket;
  }
  async function refused(status: number, text: RegExp): Promise<void> {
    const answer = await connect();
    if (answer instanceof WebSocket) assert.fail("it was let in");
    assert.equal(answer.statusCode, status);
    assert.equal(answer.headers["retry-after"], "1");
    let body = "";
    for await (const part of answer) body += part;
    assert.match(body, text);
  }
  const closed = (socket: WebSocket) => new Promise((done) => socket.once("close", done));

  test("are few for each network, and bounded in all", async () => {
    from = "2001:db8::1";
    const sockets = [await opened()];
    from = "2001:db8::2";
    sockets.push(await opened());
    await refused(429, /wait to be greeted are open from your address\. Try again in 1 s\./);
    from = "192.0.2.1";
    sockets.push(await opened(), await opened());
    from = "192.0.2.2";
    await refused(503, /are open on this server/);
    for (const socket of sockets) socket.terminate();
    await eventually(async () => (await opened()).terminate() === undefined, "places are free");
  });

  test("give their place back however they end", async () => {
    from = "192.0.2.3";
    const ends: [string, (socket: WebSocket) => void][] = [
      ["by falling silent", () => {}],
      ["by closing", (socket) => socket.close()],
      ["by being cut", (socket) => socket.terminate()],
      ["by noise", (socket) => socket.send("hello?")],
      ["by a wrong token", (socket) => socket.send('{"type":"hello","protocol":1,"token":"x"}')],
      ["by a frame too large", (socket) => socket.send("x".repeat(FRAME_MAX_BYTES + 1))],
    ];
    for (const [how, end] of ends) {
      const pair = await eventually(
        () => Promise.all([opened(), opened()]),
        `places before ${how}`,
      );
      const over = pair.map(closed);
      for (const socket of pair) end(socket);
      await Promise.all(over);
    }
    await eventually(() => Promise.all([opened(), opened()]), "places after all of them");
  });

  test("that are no sockets take no place, nor those that are gone before they are open", async () => {
    from = "192.0.2.4";
    for (let i = 0; i < 5; i++) assert.equal((await fetch(address())).status, 426);
    for (let i = 0; i < 20; i++) {
      const peer = net.connect(narrow.port, "127.0.0.1").on("error", () => {});
      const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
      const asks = "Upgrade: websocket\r\nConnection: Upgrade";
      peer.write(`GET /worker/v1 HTTP/1.1\r\nHost: x\r\n${asks}\r\n${key}\r\n\r\n`, () =>
        peer.destroy(),
      );
    }
    const pair = await eventually(() => Promise.all([opened(), opened()]), "both have a place");
    for (const socket of pair) socket.terminate();
  });
});
