/** What was opened with a credential ends with it: real streams and sockets, on two servers of one database. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import WebSocket from "ws";
import { openFolderLogStore } from "../../src/blobs/folder_log_store.ts";
import type { Role } from "../../src/core/scope.ts";
import { connect, type Sql } from "../../src/db/client.ts";
import { FRAME_MAX_BYTES } from "../../src/messages/frames.ts";
import { createWorkerEndpoint } from "../../src/protocol/endpoint.ts";
import type { HttpServer } from "../../src/runtime/contract.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { type AccessParts, accessParts } from "../support/accounts/access_parts.ts";
import { addOrg, addPerson, CookieJar, setRole } from "../support/accounts/people_rows.ts";
import { type ApiBox, apiBox, TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";
import { SseReader } from "../support/sse_reader.ts";

/** The promise, and some room for a loaded machine. */
const PROMISED_MS = 1_000;
const jar = new CookieJar();
let box: ApiBox;
let sql: Sql;
let acme: number;
let folder: string;
let server: HttpServer;
let address: string;
/** A second server's accounts, on the same database. */
let other: AccessParts;
let stopOther: () => Promise<void>;

before(async () => {
  box = await apiBox({}, undefined, { sessions: jar });
  sql = box.database.intake;
  acme = await addOrg(sql, "acme");
  await eventually(() => box.directory.byName("acme"), "the organization is known");
  folder = await mkdtemp(join(tmpdir(), "ending-"));
  const logs = await openFolderLogStore(folder);
  const log = { info() {}, warn() {}, error() {} };
  const worker = createWorkerEndpoint({ ...box, logs, log, access: box.accounts.workers });
  server = await runtime.serve({
    host: "127.0.0.1",
    port: 0,
    maxFrameBytes: FRAME_MAX_BYTES,
    fetch: (request, context) =>
      new URL(request.url).pathname === "/worker/v1"
        ? worker(request, context)
        : box.fetch(request),
  });
  address = `127.0.0.1:${server.port}`;
  const database = await connect(box.database.url);
  other = await accessParts(TOKEN, { database });
  stopOther = async () => {
    await other.accounts.stop();
    await database.close();
  };
});
after(async () => {
  await server.stop(true);
  await stopOther();
  await box.close();
  await rm(folder, { recursive: true, force: true });
});

async function stream(headers: Record<string, string>): Promise<SseReader> {
  const response = await fetch(`http://${address}${V1}/board/live?topics=counters`, { headers });
  assert.equal(response.status, 200);
  const reader = new SseReader(response.body!);
  await reader.until((messages) => messages.length > 0);
  return reader;
}

async function makeToken(headers?: Record<string, string>) {
  const { status, json } = await box.call("POST", `${V1}/orgs/acme/tokens`, { name: "t" }, headers);
  assert.equal(status, 201);
  return { id: json.id as string, headers: { authorization: `Bearer ${json.secret}` } };
}

async function endsWithin(act: () => Promise<unknown>, isOver: () => boolean): Promise<number> {
  assert.equal(isOver(), false);
  await act();
  const from = performance.now();
  await eventually(isOver, "it ends", { everyMs: 5 });
  const took = performance.now() - from;
  assert.ok(took < PROMISED_MS, `it took ${took} ms`);
  return took;
}

async function person(role: Role) {
  const id = await addPerson(sql, role, { roles: [[acme, role]] });
  return { id, cookie: jar.signIn(id) };
}

describe("a live stream ends within a second", () => {
  test("of the revocation of its token, and others go on", async () => {
    const [token, neighbour] = [await makeToken(), await makeToken()];
    const [reader, stays] = [await stream(token.headers), await stream(neighbour.headers)];
    await endsWithin(
      () => box.call("DELETE", `${V1}/orgs/acme/tokens/${token.id}`),
      () => reader.ended,
    );
    const before = stays.messages.length;
    await stays.until((messages) => messages.length > before);
    assert.equal(stays.ended, false);
    await stays.close();
  });

  test("of a revocation by another server", async () => {
    const token = await makeToken();
    const reader = await stream(token.headers);
    const request = new Request("http://b/", { headers: { authorization: `Bearer ${TOKEN}` } });
    const caller = await other.access.authenticate(request);
    const org = other.directory.byName("acme")!;
    await endsWithin(
      () => other.tokens.revoke(caller!, org, token.id),
      () => reader.ended,
    );
    const again = await fetch(`http://${address}${V1}/me`, { headers: token.headers });
    assert.equal(again.status, 401);
  });

  test("of its session's end, of a change of role, and of its person's removal", async () => {
    for (const end of ["session", "role", "removal"] as const) {
      const { id, cookie } = await person("member");
      const reader = await stream({ cookie });
      await endsWithin(
        async () => {
          if (end === "session") {
            jar.signOut(cookie);
            box.accounts.announcements.tell({ session: cookie });
          } else if (end === "role") await setRole(sql, id, acme, "viewer");
          else await setRole(sql, id, acme, null);
        },
        () => reader.ended,
      );
    }
  });

  test("of its owner losing their role, where a token of theirs opened it", async () => {
    const { id, cookie } = await person("owner");
    const headers = { authorization: "", cookie, "sec-fetch-site": "same-origin" };
    const response = await box.fetch(
      new Request(`http://box${V1}/orgs/acme/tokens`, {
        method: "POST",
        headers: {
          cookie: headers.cookie,
          "sec-fetch-site": "same-origin",
          "content-type": "application/json",
        },
        body: JSON.stringify({ name: "of the owner" }),
      }),
    );
    const { secret } = await response.json();
    const reader = await stream({ authorization: `Bearer ${secret}` });
    await endsWithin(
      () => setRole(sql, id, acme, "viewer"),
      () => reader.ended,
    );
  });

  test("of its expiry", async () => {
    const expiresAt = new Date(Date.now() + 1_500);
    const body = { name: "short", expires_at: expiresAt.toISOString() };
    const { json } = await box.call("POST", `${V1}/orgs/acme/tokens`, body);
    const reader = await stream({ authorization: `Bearer ${json.secret}` });
    await eventually(() => reader.ended, "it ends", { everyMs: 5 });
    const late = Date.now() - expiresAt.getTime();
    assert.ok(late > -50 && late < PROMISED_MS, `${late} ms after its time`);
  });

  test("also where the connection that listens is cut again and again", async () => {
    const token = await makeToken();
    const reader = await stream(token.headers);
    const admin = postgres(box.database.url, { max: 1, onnotice: () => {} });
    const cut = () => admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'signalbox access' and datname = current_database()`;
    assert.ok((await cut()).length >= 1, "somebody listens");
    // By hand, so that nothing but the database knows.
    await endsWithin(
      async () => {
        await admin`update api_token set revoked_at = now() where id = ${token.id}`;
        await cut();
      },
      () => reader.ended,
    );
    await eventually(() => box.accounts.announcements.isLive, "it listens again");
    await admin.end();
  });
});

// Workers

interface WorkerPeer {
  frames: { type: string; code?: string; message?: string }[];
  closed: number | null;
  socket: WebSocket;
}

function connectWorker(token: string, over: object = {}): WorkerPeer {
  const socket = new WebSocket(`ws://${address}/worker/v1`);
  const peer: WorkerPeer = { frames: [], closed: null, socket };
  socket.on("open", () =>
    socket.send(
      JSON.stringify({
        type: "hello",
        protocol: 1,
        version: "0",
        worker_id: crypto.randomUUID(),
        token,
        name: "w",
        pid: 1,
        host: "h",
        concurrency: 2,
        ...over,
      }),
    ),
  );
  socket.on("message", (data) => peer.frames.push(JSON.parse(data.toString())));
  socket.on("error", () => {});
  socket.on("close", (code) => {
    peer.closed = code;
  });
  return peer;
}

async function welcomed(token: string, over: object = {}): Promise<WorkerPeer> {
  const peer = connectWorker(token, over);
  await eventually(() => peer.frames[0], "an answer");
  assert.equal(peer.frames[0]!.type, "welcome", JSON.stringify(peer.frames[0]));
  return peer;
}

async function workerToken(body: object = {}, path = `${V1}/orgs/acme/worker-tokens`) {
  const { status, json } = await box.call("POST", path, { name: "w", ...body });
  assert.equal(status, 201);
  return json as { id: string; secret: string };
}

describe("a worker's socket", () => {
  test("ends within a second of its token's revocation, here and elsewhere, and comes not back", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const admin = (await other.access.authenticate(new Request("http://b/", { headers })))!;
    const org = other.directory.byName("acme")!;
    for (const revoke of [
      (id: string) => box.call("DELETE", `${V1}/orgs/acme/worker-tokens/${id}`),
      (id: string) => other.workerTokens.revoke(admin, org, id),
    ]) {
      const { id, secret } = await workerToken();
      const [peer, neighbour] = [
        await welcomed(secret),
        await welcomed((await workerToken()).secret),
      ];
      await endsWithin(
        () => revoke(id),
        () => peer.closed !== null,
      );
      assert.equal(peer.closed, 4401);
      assert.equal(peer.frames.at(-1)!.code, "unauthorized");
      assert.match(peer.frames.at(-1)!.message!, /revoked/);
      assert.equal(neighbour.closed, null);
      const again = connectWorker(secret);
      await eventually(() => again.closed, "it is refused");
      assert.deepEqual([again.closed, again.frames.length], [4401, 1]);
      neighbour.socket.close();
    }
  });

  test("works for the organization of its token, or for all", async () => {
    const shared = await workerToken({}, `${V1}/worker-tokens`);
    const [own, everybody] = [crypto.randomUUID(), crypto.randomUUID()];
    const peers = [
      await welcomed((await workerToken()).secret, { worker_id: own }),
      await welcomed(shared.secret, { worker_id: everybody }),
    ];
    const orgOf = async (uid: string) =>
      (await sql`select org_id from worker where uid = ${uid}`)[0]!.org_id;
    assert.deepEqual([await orgOf(own), await orgOf(everybody)], [acme, null]);
    for (const peer of peers) peer.socket.close();
  });

  test("may offer what its token allows, and is told what that is", async () => {
    const ceiling = { pool: "gpu", features: ["cuda"], kinds: ["exec"], slots_max: 2 };
    const { secret } = await workerToken(ceiling);
    const allowed = { pool: "gpu", features: ["cuda"], kinds: ["exec"], concurrency: 2 };
    (await welcomed(secret, allowed)).socket.close();
    for (const [over, sentence] of [
      [{ pool: "default" }, /allows the pool "gpu" only: start the worker with --pool gpu/],
      [{ concurrency: 3 }, /allows 2 slots/],
      [{ features: ["cuda", "kvm"] }, /the features "cuda" only, not "kvm"/],
      [{ kinds: ["exec", "handler"] }, /kinds of jobs "exec" only, not "handler"/],
    ] as const) {
      const peer = connectWorker(secret, { ...allowed, ...over });
      await eventually(() => peer.closed, "it is refused");
      assert.equal(peer.closed, 4403);
      assert.equal(peer.frames.at(-1)!.code, "not_allowed");
      assert.match(peer.frames.at(-1)!.message!, sentence);
    }
  });

  test("of a peer that tries many tokens is told to wait, and others get in", async () => {
    const known = (await workerToken()).secret;
    (await welcomed(known)).socket.close();
    for (let i = 0; i < 40; i++) {
      const peer = connectWorker(`sbw_${String(i).padStart(43, "x")}`);
      await eventually(() => peer.closed, "it is refused");
      if (peer.closed === 4401) continue;
      assert.equal(peer.closed, 4429);
      (await welcomed(known)).socket.close();
      return;
    }
    assert.fail("it was never told to wait");
  });
});
