/** Streams of those who have not signed in: as many as there are places, and each place is given back. */
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { OpenBound } from "../../src/accounts/open_bound.ts";
import { TooManyOpen } from "../../src/accounts/refused.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { addOrg } from "../support/accounts/people_rows.ts";
import { type ApiBox, apiBox, TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";
import { SseReader } from "../support/sse_reader.ts";

describe("a bound of what may be open", () => {
  const options = { what: "doors", each: 2, all: 5, retryAfterSeconds: 7 };

  test("counts each network and all together, and gives each place back once", () => {
    const bound = new OpenBound(options);
    const first = bound.enter("2001:db8::1");
    bound.enter("2001:db8::2");
    assert.throws(
      () => bound.enter("2001:db8::3"),
      (error: TooManyOpen) =>
        error.status === 429 &&
        error.retryAfterSeconds === 7 &&
        /Too many doors are open from your address\. Try again in 7 s\./.test(error.message),
    );
    first();
    first();
    assert.equal(bound.size, 1);
    for (const address of ["2001:db8::3", "192.0.2.1", "192.0.2.2", undefined])
      bound.enter(address);
    assert.throws(
      () => bound.enter("192.0.2.3"),
      (error: TooManyOpen) => error.status === 503 && /on this server/.test(error.message),
    );
  });

  test("takes nothing where it refuses", () => {
    const bound = new OpenBound(options);
    const leave = [bound.enter("192.0.2.1"), bound.enter("192.0.2.1")];
    for (let i = 0; i < 10; i++) assert.throws(() => bound.enter("192.0.2.1"), TooManyOpen);
    assert.equal(bound.size, 2);
    for (const one of leave) one();
    assert.equal(bound.size, 0);
  });
});

describe("a stranger's stream", () => {
  const PATH = `${V1}/board/live?topics=counters`;
  let box: ApiBox;
  before(async () => {
    box = await apiBox({}, undefined, { strangersStreams: { each: 2, all: 4 } });
  });
  after(() => box.close());

  const ask = (from: string, init: RequestInit = {}) =>
    box.fetch(new Request(`http://box${PATH}`, init), from);
  async function open(from: string): Promise<SseReader> {
    const response = await ask(from);
    assert.equal(response.status, 200);
    return new SseReader(response.body!);
  }
  async function statusOf(from: string, init?: RequestInit): Promise<number> {
    const response = await ask(from, init);
    await response.body?.cancel();
    return response.status;
  }

  test("has a place among those of its network, and of all", async () => {
    const readers = [await open("2001:db8::1"), await open("2001:db8::2")];
    const refused = await ask("2001:db8::3");
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("retry-after"), "30");
    assert.match(refused.headers.get("content-type")!, /problem\+json/);
    const { detail } = await refused.json();
    assert.match(detail, /live streams without a sign-in are open from your address/);
    readers.push(await open("192.0.2.1"), await open("192.0.2.2"));
    const full = await ask("192.0.2.3");
    assert.equal(full.status, 503);
    assert.equal(full.headers.get("retry-after"), "30");
    assert.match((await full.json()).detail, /on this server/);
    const signedIn = { headers: { authorization: `Bearer ${TOKEN}` } };
    assert.equal(await statusOf("2001:db8::1", signedIn), 200);
    for (const reader of readers) await reader.close();
    assert.equal(await statusOf("2001:db8::3"), 200);
    await eventually(() => box.hub.viewers === 0, "what was refused watches nothing");
  });

  test("gives its place back when its reader leaves, when it was only asked for, and when it is ended", async () => {
    const from = "192.0.2.9";
    for (let i = 0; i < 5; i++) {
      await (await open(from)).close();
      assert.equal(await statusOf(from, { method: "HEAD" }), 200);
      const unread = await ask(from);
      await unread.body!.cancel();
    }
    const ended = [await open(from), await open(from)];
    for (const reader of ended) await reader.until((messages) => messages.length > 0);
    assert.equal(await statusOf(from), 429);
    // What strangers see has changed: whoever watches comes again.
    await addOrg(box.database.intake, "opened", true);
    for (const reader of ended) await eventually(() => reader.ended, "it has ended");
    assert.equal(await statusOf(from), 200);
  });

  test("gives its place back when its connection is cut, whether it was read or not", async () => {
    const { port, stop } = await runtime.serve({
      ...{ host: "127.0.0.1", port: 0, maxFrameBytes: 1_000 },
      fetch: (request, { remoteAddress }) => box.fetch(request, remoteAddress),
    });
    const connect = () => {
      const socket = net.connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(`GET ${PATH} HTTP/1.1\r\nHost: box\r\n\r\n`);
      return socket;
    };
    const answer = (socket: net.Socket) =>
      new Promise<string>((done) => socket.once("data", (data) => done(data.toString())));
    try {
      const read = connect();
      assert.match(await answer(read), /^HTTP\/1\.1 200/);
      const unread = connect();
      unread.pause();
      await eventually(() => box.accounts.watched === 2, "both are open");
      const over = connect();
      assert.match(await answer(over), /^HTTP\/1\.1 429/);
      for (const socket of [read, unread, over]) socket.destroy();
      // Gone before there is an answer.
      for (let i = 0; i < 20; i++) connect().destroy();
      await eventually(() => box.accounts.watched === 0, "all are gone");
      const again = connect();
      assert.match(await answer(again), /^HTTP\/1\.1 200/);
      again.destroy();
    } finally {
      await stop(true);
    }
  });
});
