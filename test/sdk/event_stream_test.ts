import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readEvents, type StreamEvent } from "../../src/sdk/event_stream.ts";

function bodyOf(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function read(text: string, cuts: number[] = []): Promise<StreamEvent[]> {
  const bytes = new TextEncoder().encode(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks = [0, ...places].map((from, n) => bytes.slice(from, places[n] ?? bytes.length));
  const out: StreamEvent[] = [];
  for await (const event of readEvents(bodyOf(chunks))) out.push(event);
  return out;
}

describe("the event stream's reader", () => {
  test("reads names, data of several lines, ids and comments", async () => {
    const events = await read(
      ": hello\n\nevent: log\nid: 7\ndata: one\ndata: two\n\ndata:three\n\nevent: ping\n\n",
    );
    assert.deepEqual(events, [
      { event: "log", data: "one\ntwo", id: "7" },
      { event: "message", data: "three", id: "7" },
      { event: "ping", data: "", id: "7" },
    ]);
  });

  test("an event whose end never comes is not told", async () => {
    assert.deepEqual(await read("data: whole\n\ndata: half\n"), [
      { event: "message", data: "whole", id: undefined },
    ]);
  });

  test("gives the same events wherever the network cuts the bytes, with any line end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (end, cuts) => {
          const text = ["event: log", "id: 1", "data: grüße 🚂", "", "data: b", "", ""].join(end);
          assert.deepEqual(await read(text, cuts), await read(text));
          assert.equal((await read(text)).length, 2);
        },
      ),
      { numRuns: 200 },
    );
  });
});
