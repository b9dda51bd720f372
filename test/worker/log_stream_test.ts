import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { LogStream } from "../../src/worker/log/log_stream.ts";
import { Utf8Cleaner } from "../../src/worker/log/utf8.ts";

const folder = mkdtempSync(join(tmpdir(), "signalbox-log-test-"));
let count = 0;
const nextPath = () => join(folder, "deep", `${count++}.log`);

function readAll(log: LogStream, step: number): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < log.bytes; ) {
    const bytes = log.read(at, step);
    assert.ok(bytes.length > 0 && bytes.length <= step);
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    chunks.push(text);
    at += bytes.length;
  }
  return chunks;
}

describe("a log", () => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => Buffer.from(text)),
  );

  test("is the same text however its bytes were cut, and each chunk is whole", () => {
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 20 }),
        fc.integer({ min: 4, max: 50 }),
        (parts, step) => {
          const whole = Buffer.concat(parts);
          const log = new LogStream({ spoolPath: nextPath, memoryMaxBytes: step * 3 });
          for (const part of parts) log.write(part);
          log.end();
          const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole);
          const chunks = readAll(log, step);
          assert.equal(chunks.join(""), expected);
          assert.equal(log.bytes, Buffer.byteLength(expected));
          for (const from of [0, 1, log.bytes >> 1, log.bytes]) {
            log.rewind(from);
            assert.ok(log.sent <= from && from - log.sent <= 3);
            const rest = log.read(log.sent, 1 << 20).toString();
            assert.equal(Buffer.from(expected).subarray(log.sent).toString(), rest);
          }
          log.dispose();
        },
      ),
      { numRuns: 300 },
    );
  });

  test("moves to a file when it grows, which goes with it", () => {
    const path = nextPath();
    const log = new LogStream({ spoolPath: () => path, memoryMaxBytes: 100 });
    log.writeText("a".repeat(60));
    assert.ok(!existsSync(path));
    log.writeText("b".repeat(60));
    assert.ok(existsSync(path));
    log.writeText("c".repeat(60));
    assert.equal(
      log.read(50, 80).toString(),
      `${"a".repeat(10)}${"b".repeat(60)}${"c".repeat(10)}`,
    );
    log.dispose();
    assert.ok(!existsSync(path));
  });

  test("ends at its limit with a notice, and the notice fits", () => {
    const log = new LogStream({ spoolPath: nextPath, maxBytes: 1000 });
    for (let i = 0; i < 100; i += 1) log.writeText("äöü€ ".repeat(20));
    log.end();
    assert.ok(log.truncated && log.bytes <= 1000 && log.bytes > 980);
    const text = readAll(log, 100).join("");
    assert.match(text, /€? ?\S*\n\[signalbox: the log reached its limit of 1000 bytes; .*\]\n$/);
    assert.ok(!text.includes("\ufffd"));
  });

  test("keeps NUL and escape characters, and a byte order mark", () => {
    const log = new LogStream({ spoolPath: nextPath });
    log.write(Buffer.from("\ufeff\0\x1b[31mred"));
    assert.equal(log.read(0, 100).toString(), "\ufeff\0\x1b[31mred");
  });

  test("a character that never ends is replaced once it is over", () => {
    const cleaner = new Utf8Cleaner();
    assert.equal(cleaner.push(Buffer.from([0x61, 0xe2, 0x82])).toString(), "a");
    assert.equal(cleaner.push(Buffer.from([0xac])).toString(), "€");
    assert.equal(cleaner.push(Buffer.from([0xf0, 0x9f])).length, 0);
    assert.equal(cleaner.end().toString(), "\ufffd");
    assert.equal(cleaner.end().length, 0);
  });

  test("no file is left", () => {
    const left = existsSync(join(folder, "deep")) ? readdirSync(join(folder, "deep")) : [];
    assert.deepEqual(left, []);
  });
});
