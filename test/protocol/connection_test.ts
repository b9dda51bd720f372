import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Admission } from "../../src/accounts/worker_access.ts";
import { openFolderLogStore } from "../../src/blobs/folder_log_store.ts";
import type { LogStore } from "../../src/blobs/log_store.ts";
import type { ConnectResult, WorkerLink } from "../../src/engine/engine.ts";
import type { Hello, LeaseRef, ServerFrame } from "../../src/messages/frames.ts";
import { Connection, type ConnectionDeps } from "../../src/protocol/connection.ts";
import { eventually } from "../support/eventually.ts";
import { ADMITTED, admitOnly } from "../support/worker_door.ts";

const TOKEN = "worker-token-0123456789abcdef0123456789";
const lease = { job: crypto.randomUUID(), attempt: 1, token: crypto.randomUUID() };

/** Stands where the engine is, and notes what reaches it. */
class RecordingEngine {
  hellos: Hello[] = [];
  frames: unknown[] = [];
  drops = 0;
  link: WorkerLink | null = null;
  held: LeaseRef[] = [];
  answer: Promise<ConnectResult> | null = null;

  async connectWorker(hello: Hello, _grant: unknown, link: WorkerLink): Promise<ConnectResult> {
    this.hellos.push(hello);
    this.link = link;
    return this.answer ?? this.accepted();
  }

  accepted(): ConnectResult {
    const resume = this.held.map((held) => ({ ...held, log_offset: -1 }));
    const welcome = { session: 1, lease_seconds: 30, heartbeat_seconds: 10, resume, kill: [] };
    return {
      ok: true,
      welcome: { type: "welcome", ...welcome },
      session: {
        id: 1,
        workerId: 1,
        holds: (one) =>
          this.held.some(({ job, attempt }) => job === one.job && attempt === one.attempt),
        handle: (frame) => this.frames.push(frame),
        welcomed: () => {},
        dropped: () => {
          this.drops += 1;
        },
      },
    };
  }
}

class FakeSocket {
  frames: ServerFrame[] = [];
  closed: { code: number; reason: string } | null = null;
  bufferedBytes = 0;
  buffered = () => this.bufferedBytes;
  send = (text: string) => {
    if (this.closed === null) this.frames.push(JSON.parse(text));
  };
  close = (code: number, reason: string) => {
    this.closed ??= { code, reason };
  };
  get types() {
    return this.frames.map((frame) => frame.type);
  }
}

let folder: string;
let logs: LogStore;
let engine: RecordingEngine;
let greeted: number;
const quiet = { info() {}, warn() {}, error() {} };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "connection-"));
  logs = await openFolderLogStore(folder);
  engine = new RecordingEngine();
  greeted = 0;
});

afterEach(async () => {
  await logs.close();
  await rm(folder, { recursive: true });
});

function connect(over: Partial<ConnectionDeps> = {}) {
  const socket = new FakeSocket();
  const connection = new Connection({
    engine,
    logs,
    log: quiet,
    authorize: admitOnly(TOKEN).admit,
    greeted: () => {
      greeted += 1;
    },
    helloTimeoutMs: 5_000,
    ...over,
  });
  connection.open(socket);
  const say = (frame: unknown) =>
    connection.message(socket, typeof frame === "string" ? frame : JSON.stringify(frame));
  return { socket, connection, say };
}

const hello = (over: object = {}) => ({
  type: "hello",
  protocol: 1,
  version: "0",
  worker_id: crypto.randomUUID(),
  token: TOKEN,
  name: "w",
  pid: 1,
  host: "h",
  concurrency: 4,
  ...over,
});

async function joined(over: Partial<ConnectionDeps> = {}) {
  const worker = connect(over);
  worker.say(hello());
  await eventually(() => worker.socket.types.includes("welcome"), "welcome");
  return worker;
}

async function refusedWith(socket: FakeSocket, code: string, number: number) {
  await eventually(() => socket.closed, "closed", { deadlineMs: 5_000 });
  const last = socket.frames.at(-1);
  assert.ok(last?.type === "error", JSON.stringify(last));
  assert.equal(last.code, code);
  assert.ok(last.message.length > 10);
  assert.deepEqual(socket.closed, { code: number, reason: code });
}

test("a worker that says hello is welcomed", async () => {
  const { socket, connection } = await joined();
  assert.equal(engine.hellos[0]!.name, "w");
  assert.equal(greeted, 1);
  connection.close(1000, "");
  connection.close(1000, "");
  assert.equal(engine.drops, 1);
  assert.equal(socket.closed, null);
});

test("a connection without hello ends", async () => {
  const { socket } = connect({ helloTimeoutMs: 20 });
  await eventually(() => socket.closed, "closed");
  await refusedWith(socket, "hello_timeout", 4408);
  assert.equal(greeted, 1);
});

test("a wrong token is refused before anything else is looked at", async () => {
  for (const token of [
    "",
    "wrong",
    TOKEN.slice(1),
    `${TOKEN} `,
    null,
    7,
    [TOKEN],
    { token: TOKEN },
  ]) {
    const { socket, say } = connect();
    say({ type: "hello", token, nonsense: true });
    await refusedWith(socket, "unauthorized", 4401);
  }
  assert.equal(engine.hellos.length, 0);
});

test("a refusal never repeats a token", async () => {
  const { socket, say } = connect();
  say({ ...hello({ token: `${TOKEN}x` }) });
  await refusedWith(socket, "unauthorized", 4401);
  assert.equal(JSON.stringify(socket.frames).includes(TOKEN), false);
});

test("another protocol version is told so", async () => {
  const { socket, say } = connect();
  say(hello({ protocol: 2, somethingNew: [] }));
  await refusedWith(socket, "unsupported_protocol", 4426);
});

test("a malformed hello with a good token is told which field is wrong", async () => {
  const { socket, say } = connect();
  say(hello({ concurrency: 0 }));
  await refusedWith(socket, "malformed", 1007);
  assert.match(JSON.stringify(socket.frames), /concurrency/);
});

test("a report before hello, and a second hello, are out of order", async () => {
  const early = connect();
  early.say({ type: "started", jobs: [lease] });
  await refusedWith(early.socket, "out_of_order", 1008);
  const late = await joined();
  late.say(hello());
  await refusedWith(late.socket, "out_of_order", 1008);
  assert.equal(engine.drops, 1);
  assert.deepEqual(engine.frames, []);
});

test("after the end nothing reaches the engine or the socket any more", async () => {
  const { socket, say, connection } = await joined();
  say("noise");
  await refusedWith(socket, "malformed", 1007);
  const sent = socket.frames.length;
  say({ type: "started", jobs: [lease] });
  engine.link!.send({ type: "drain" });
  engine.link!.end("superseded", "Another connection took over.");
  connection.close(1006, "");
  assert.equal(socket.frames.length, sent);
  assert.deepEqual(engine.frames, []);
  assert.equal(engine.drops, 1);
});

test("what comes while joining is kept in order, and what the engine sends waits for welcome", async () => {
  const gate = Promise.withResolvers<ConnectResult>();
  engine.answer = gate.promise;
  const { socket, say } = connect();
  say(hello());
  say({ type: "started", jobs: [lease] });
  say({ type: "draining" });
  await eventually(() => engine.link, "link");
  engine.link!.send({ type: "drain" });
  assert.deepEqual(socket.types, []);
  gate.resolve(engine.accepted());
  await eventually(() => engine.frames.length === 2, "both frames");
  assert.deepEqual(socket.types, ["welcome", "drain"]);
  assert.deepEqual(
    engine.frames.map((frame) => (frame as { type: string }).type),
    ["started", "draining"],
  );
});

test("too much while joining ends the connection, and its session is dropped when it comes", async () => {
  const gate = Promise.withResolvers<ConnectResult>();
  engine.answer = gate.promise;
  const { socket, say } = connect();
  say(hello());
  await eventually(() => engine.hellos.length === 1, "it joins");
  for (let i = 0; i < 1_001; i += 1) say({ type: "draining" });
  await refusedWith(socket, "too_fast", 1008);
  assert.equal(engine.drops, 0);
  gate.resolve(engine.accepted());
  await eventually(() => engine.drops === 1, "dropped");
  assert.equal(socket.types.includes("welcome"), false);
});

test("what comes while the token is looked up is kept, and not much of it", async () => {
  const gate = Promise.withResolvers<Admission | null>();
  const { socket, say } = connect({ authorize: () => gate.promise, helloTimeoutMs: 20 });
  say(hello());
  say({ type: "started", jobs: [lease] });
  gate.resolve(ADMITTED);
  await eventually(() => engine.frames.length === 1, "the report arrives");
  assert.equal(socket.closed, null);
  const never = connect({ authorize: () => new Promise(() => {}) });
  never.say(hello());
  for (let i = 0; i < 5 && never.socket.closed === null; i++) never.say("x".repeat(300_000));
  await refusedWith(never.socket, "too_fast", 1008);
  assert.equal(engine.hellos.length, 1);
});

test("a token that nobody can look up now is no reason to give up for good", async () => {
  const { socket, say } = connect({ authorize: () => Promise.reject(new Error("db://secret")) });
  say(hello());
  await refusedWith(socket, "unavailable", 1013);
  assert.doesNotMatch(JSON.stringify(socket.frames), /secret/);
});

test("what a token does not allow is said in a sentence", async () => {
  const refusal = ({ pool }: { pool: string }) => `Not the pool ${pool}.`;
  const { socket, say } = connect({ authorize: async () => ({ ...ADMITTED, refusal }) });
  say(hello({ pool: "gpu" }));
  await refusedWith(socket, "not_allowed", 4403);
  assert.match(JSON.stringify(socket.frames), /Not the pool gpu/);
});

test("a token that is revoked ends its connection, and nothing else is watched afterwards", async () => {
  let revoke = (_message: string) => {};
  let unwatched = 0;
  const watch: Admission["watch"] = (end) => {
    revoke = end;
    return () => {
      unwatched += 1;
    };
  };
  const { socket } = await joined({ authorize: async () => ({ ...ADMITTED, watch }) });
  revoke("This worker token was revoked.");
  await refusedWith(socket, "unauthorized", 4401);
  assert.equal(engine.drops, 1);
  assert.equal(unwatched, 1);
});

test("a worker the engine refuses hears the engine's reason", async () => {
  engine.answer = Promise.resolve({ ok: false, code: "no_such_org", message: "It has no org." });
  const { socket, say } = connect();
  say(hello());
  await eventually(() => socket.closed, "closed");
  await refusedWith(socket, "no_such_org", 4400);
});

test("a fault of the engine ends one connection with a reason", async () => {
  engine.answer = Promise.reject(new Error("database is away"));
  const { socket, say } = connect();
  say(hello());
  await eventually(() => socket.closed, "closed");
  await refusedWith(socket, "internal", 1011);
  assert.equal(JSON.stringify(socket.frames).includes("database"), false);
});

test("a flood of frames ends the connection", async () => {
  const { socket, say } = await joined();
  for (let i = 0; i < 60_000 && socket.closed === null; i += 1) say('{"type":"draining"}');
  await refusedWith(socket, "too_fast", 1008);
});

test("heartbeats that say nothing new are passed over", async () => {
  const { socket, say } = await joined();
  for (let i = 0; i < 50; i += 1) say({ type: "heartbeat" });
  assert.equal(engine.frames.length, 1);
  assert.equal(socket.closed, null);
});

test("a worker that does not read is let go", async () => {
  const { socket } = await joined();
  socket.bufferedBytes = 9 * 1024 * 1024;
  engine.link!.send({ type: "drain" });
  await refusedWith(socket, "slow_consumer", 1013);
});

test("logs of held leases are stored, others are dropped, and welcome says how much there is", async () => {
  engine.held = [lease];
  const first = await joined();
  const other = crypto.randomUUID();
  first.say({
    type: "log",
    chunks: [
      { ...lease, offset: 0, data: "héllo " },
      { ...lease, job: other, offset: 0, data: "not mine" },
      { ...lease, offset: 7, data: "there" },
    ],
  });
  await eventually(async () => (await logs.size(lease.job, 1)) === 12, "stored");
  assert.equal(await logs.size(other, 1), 0);
  assert.equal(first.socket.closed, null);
  const again = await joined();
  const welcome = again.socket.frames[0]!;
  assert.ok(welcome.type === "welcome");
  assert.deepEqual(welcome.resume, [{ ...lease, log_offset: 12 }]);
});

test("a gap in a log ends the connection, and says which byte is wanted", async () => {
  engine.held = [lease];
  const { socket, say } = await joined();
  say({ type: "log", chunks: [{ ...lease, offset: 5, data: "x" }] });
  await eventually(() => socket.closed, "closed");
  await refusedWith(socket, "log_gap", 4416);
  assert.match(JSON.stringify(socket.frames.at(-1)), /byte 0 is wanted, not 5/);
});

test("a log that cannot be written costs the log, not the connection", async () => {
  engine.held = [lease];
  let asked = 0;
  const broken: LogStore = {
    ...logs,
    size: async () => 0,
    append: async () => {
      asked += 1;
      return { ok: false, code: "failed", reason: "no space left" };
    },
  };
  const { socket, say } = await joined({ logs: broken });
  const chunk = (offset: number) => ({ type: "log", chunks: [{ ...lease, offset, data: "x" }] });
  say(chunk(0));
  await eventually(() => asked === 1, "asked");
  await new Promise((resolve) => setImmediate(resolve));
  say(chunk(1));
  assert.equal(asked, 1);
  assert.equal(socket.closed, null);
});

test("logs that come faster than the disk ends the connection before memory does", async () => {
  engine.held = [lease];
  const stuck: LogStore = { ...logs, size: async () => 0, append: () => new Promise(() => {}) };
  const { socket, say } = await joined({ logs: stuck });
  const data = "x".repeat(262_144);
  for (let i = 0; i < 200 && socket.closed === null; i += 1) {
    say({ type: "log", chunks: [{ ...lease, offset: i * data.length, data }] });
  }
  await refusedWith(socket, "log_backlog", 1013);
});
