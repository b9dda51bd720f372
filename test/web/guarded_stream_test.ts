import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Caller } from "../../src/accounts/caller.ts";
import { strangerScope } from "../../src/core/scope.ts";
import { guarded } from "../../src/web/guarded_stream.ts";
import { V1 } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";
import { eventually } from "../support/eventually.ts";
import { SseReader } from "../support/sse_reader.ts";

const caller: Caller = {
  author: { name: "x", user: null, token: null, address: null },
  scope: strangerScope([]),
  via: "token",
  credential: { person: null, session: null, token: null, expiresAt: null },
};

/** An access whose end the test chooses. */
function watching() {
  const watched: (() => void)[] = [];
  let unwatched = 0;
  const access = {
    authenticate: async () => caller,
    mayReadMetrics: async () => false,
    watch: (_caller: Caller, end: () => void) => {
      watched.push(end);
      return () => {
        unwatched += 1;
      };
    },
  };
  return { access, watched, unwatched: () => unwatched };
}

/** A source that notes whether it was cancelled. */
function source(
  headers: Record<string, string> = { "content-type": "text/event-stream; charset=utf-8" },
) {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (own) => {
      controller = own;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  const say = (text: string) => controller.enqueue(new TextEncoder().encode(text));
  const response = new Response(body, { headers });
  return { response, say, end: () => controller.close(), cancelled: () => cancelled };
}

const ours = new Request("http://board/board/stream");

describe("a guarded stream", () => {
  test("passes everything on, with its headers, and ends with its source", async () => {
    const { access, unwatched } = watching();
    const from = source();
    const response = guarded(access, caller, ours, from.response);
    assert.match(response.headers.get("content-type")!, /event-stream/);
    from.say("data: 1\n\n");
    from.say("data: 2\n\n");
    from.end();
    assert.equal(await response.text(), "data: 1\n\ndata: 2\n\n");
    assert.equal(unwatched(), 1);
  });

  test("ends when the credential does, and so does its source", async () => {
    const { access, watched } = watching();
    const from = source();
    const reader = guarded(access, caller, ours, from.response).body!.getReader();
    from.say("data: 1\n\n");
    assert.equal((await reader.read()).done, false);
    const next = reader.read();
    watched[0]!();
    assert.equal((await next).done, true);
    await eventually(() => from.cancelled(), "the source is let go");
  });

  test("lets its source go when its reader leaves", async () => {
    const { access, unwatched } = watching();
    const from = source();
    await guarded(access, caller, ours, from.response).body!.cancel();
    assert.equal(from.cancelled(), true);
    assert.equal(unwatched(), 1);
  });

  test("that is an export breaks instead, and is not read ahead of its reader", async () => {
    const { access, watched, unwatched } = watching();
    const file = { "content-type": "text/csv", "content-disposition": "attachment; filename=x" };
    let read = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          read += 1;
          controller.enqueue(new Uint8Array(1));
        },
      },
      { highWaterMark: 0 },
    );
    const foreign = new Request("http://board/x", { headers: { "sec-fetch-site": "cross-site" } });
    const byCookie = { ...caller, via: "cookie" as const };
    const answer = guarded(access, byCookie, foreign, new Response(body, { headers: file }));
    assert.equal(answer.status, 200, "a link in a chat may lead to it");
    const reader = answer.body!.getReader();
    await reader.read();
    assert.equal(read, 1);
    watched[0]!();
    await assert.rejects(reader.read(), /may not read on/);
    const whole = source(file);
    const other = guarded(access, caller, ours, whole.response);
    whole.say("1");
    whole.end();
    assert.equal(await other.text(), "1");
    assert.equal(unwatched(), 1);
  });

  test("is no other answer", () => {
    const { access, watched } = watching();
    const page = source({ "content-type": "text/html" });
    assert.equal(guarded(access, caller, ours, page.response), page.response);
    const empty = new Response(null, { headers: { "content-type": "text/event-stream" } });
    assert.equal(guarded(access, caller, ours, empty), empty);
    assert.equal(watched.length, 0);
  });
});

describe("the board", () => {
  let box: BoardBox;
  before(async () => {
    box = await boardBox();
  });
  after(async () => {
    await box.close();
  });

  test("ends its live stream within a second of the revocation of what opened it", async () => {
    const tokens = `${V1}/orgs/default/tokens`;
    const { json } = await box.call("POST", tokens, { name: "viewer" });
    const headers = { authorization: `Bearer ${json.secret}` };
    const response = await box.get("/board/stream?panels=live,counts", headers);
    assert.equal(response.status, 200);
    const reader = new SseReader(response.body!);
    await reader.until((messages) => messages.length > 0);
    await box.call("DELETE", `${tokens}/${json.id}`);
    await eventually(() => reader.ended, "it ends", { deadlineMs: 1_000, everyMs: 5 });
    assert.equal((await box.get("/board/live", headers)).headers.get("location") !== null, true);
  });
});
