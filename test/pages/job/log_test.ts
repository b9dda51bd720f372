import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { openFolderLogStore } from "../../../src/blobs/folder_log_store.ts";
import type { LogStore } from "../../../src/blobs/log_store.ts";
import { readTail, TAIL_BYTES, wholeLength } from "../../../src/pages/job/log.ts";
import { streamLog } from "../../../src/pages/job/log_stream.ts";
import { AnsiWriter } from "../../../src/web/ansi.ts";
import { SseReader } from "../../support/sse_reader.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const strip = (html: string) => html.replace(/<[^>]*>/g, "");
let nextId = 0;
const newId = () => `01a20000-0000-7000-8000-${String(++nextId).padStart(12, "0")}`;

describe("a log on the page", () => {
  let folder: string;
  let logs: LogStore;
  const readers: SseReader[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "page-log-"));
    logs = await openFolderLogStore(folder);
  });
  after(async () => {
    for (const reader of readers) await reader.close();
    await logs.close();
    await rm(folder, { recursive: true, force: true });
  });

  function follow(job: string, from = 0, isAlive = async () => true): SseReader {
    const response = streamLog({ logs, isAlive, quietMs: 40 }, job, 1, from);
    const reader = new SseReader(response.body!);
    readers.push(reader);
    return reader;
  }
  const textOf = (reader: SseReader) =>
    strip(
      reader
        .of("")
        .map((m) => m.data)
        .join(""),
    );

  test("a job that never started has none", async () => {
    assert.deepEqual(await readTail(logs, newId(), 0), { html: "", size: 0, from: 0 });
    assert.deepEqual(await readTail(logs, newId(), 1), { html: "", size: 0, from: 0 });
  });

  test("of a long one the end is printed, in the colours that were on where it begins", async () => {
    const job = newId();
    const head = `${"x".repeat(TAIL_BYTES)}\x1b[31m`;
    const text = `${head}${"r".repeat(TAIL_BYTES)}`;
    await logs.append(job, 1, 0, encode(text));
    const tail = await readTail(logs, job, 1);
    assert.equal(tail.size, text.length);
    assert.equal(tail.from, text.length - TAIL_BYTES);
    assert.equal(tail.html, `<span class="a-f1">${"r".repeat(TAIL_BYTES)}</span>`);
  });

  test("a stream tells what is there, what comes, and the end", async () => {
    const job = newId();
    let alive = true;
    await logs.append(job, 1, 0, encode("one\n"));
    const reader = follow(job, 0, async () => alive);
    await reader.until(() => textOf(reader) === "one\n");
    await logs.append(job, 1, 4, encode("<two>\n"));
    await reader.until(() => textOf(reader) === "one\n&lt;two&gt;\n");
    assert.equal(reader.lastId, "10");
    alive = false;
    await reader.until(() => reader.of("end").length === 1);
  });

  test("cut anywhere and resumed, it has every character once", async () => {
    const job = newId();
    const text = `a\x1b[1;32m grün \x1b[0m€ 😀\r\n${"line\n".repeat(50)}`;
    const bytes = encode(text);
    const whole = strip(new AnsiWriter().write(text));
    let at = 0;
    let seen = "";
    let id = "0";
    for (const size of [1, 3, 2, 7, 11, 1, 1, 1, 60, bytes.length]) {
      const piece = bytes.subarray(at, at + size);
      await logs.append(job, 1, at, piece);
      at += piece.length;
      const reader = follow(job, Number(id), async () => false);
      await reader.until(() => reader.of("end").length === 1);
      seen += textOf(reader);
      id = reader.lastId || id;
    }
    assert.equal(seen, whole);
  });

  test("a reader that does not read holds nothing up", async () => {
    const job = newId();
    await logs.append(job, 1, 0, new Uint8Array(3_000_000).fill(97));
    const { body } = streamLog({ logs, isAlive: async () => true }, job, 1, 0);
    const reader = body!.getReader();
    let bytes = 0;
    while (bytes < 3_000_000) {
      const { value } = await reader.read();
      bytes += value!.length;
      assert.ok(value!.length < 70_000);
    }
    await reader.cancel();
  });
});

test("what is printed ends between characters and outside escapes", () => {
  const cases: [string | number[], number][] = [
    ["plain", 5],
    ["a\x1b", 1],
    ["a\x1b[3", 1],
    ["a\x1b[31m", 6],
    ["a\r", 1],
    ["a\r\n", 3],
    [[0x61, 0xe2, 0x82], 1],
    [[0x61, 0xe2, 0x82, 0xac], 4],
    [[0xf0, 0x9f, 0x98], 0],
    [[0x80, 0x80, 0x80], 3],
  ];
  for (const [input, length] of cases) {
    const bytes = typeof input === "string" ? encode(input) : Uint8Array.from(input);
    assert.equal(wholeLength(bytes), length, JSON.stringify(input));
  }
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const length = wholeLength(bytes);
      assert.ok(length >= Math.max(0, bytes.length - 68) && length <= bytes.length);
    }),
  );
});
