import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { v7 as uuidv7 } from "uuid";
import { openFolderLogStore } from "../../src/blobs/folder_log_store.ts";
import { logPath } from "../../src/blobs/log_path.ts";
import { LOG_MAX_BYTES, type LogSlice, type LogStore } from "../../src/blobs/log_store.ts";

let folder: string;
let logs: LogStore;
let job: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "logs-"));
  logs = await openFolderLogStore(folder);
  job = uuidv7();
});

afterEach(async () => {
  await logs.close();
  await rm(folder, { recursive: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);

async function text(slice: LogSlice | null): Promise<string> {
  return slice === null ? "(none)" : await new Response(slice.body).text();
}

test("a log is what was appended, in order, without waiting between chunks", async () => {
  const answers = await Promise.all([
    logs.append(job, 1, 0, bytes("one ")),
    logs.append(job, 1, 4, bytes("two ")),
    logs.append(job, 1, 8, bytes("three")),
  ]);
  assert.deepEqual(answers.at(-1), { ok: true, size: 13 });
  assert.equal(await text(await logs.read(job, 1)), "one two three");
  assert.equal(await logs.size(job, 1), 13);
});

test("a repeat adds nothing, an overlap adds what is new", async () => {
  await logs.append(job, 1, 0, bytes("abcdef"));
  assert.deepEqual(await logs.append(job, 1, 0, bytes("abc")), { ok: true, size: 6 });
  assert.deepEqual(await logs.append(job, 1, 4, bytes("efgh")), { ok: true, size: 8 });
  assert.deepEqual(await logs.append(job, 1, 8, bytes("")), { ok: true, size: 8 });
  assert.equal(await text(await logs.read(job, 1)), "abcdefgh");
});

test("what is in the log stays, whatever a repeat brings", async () => {
  await logs.append(job, 1, 0, bytes("truth"));
  await logs.append(job, 1, 0, bytes("LIES!!"));
  assert.equal(await text(await logs.read(job, 1)), "truth!");
});

test("a gap is refused with the offset that is wanted, and the log is as before", async () => {
  assert.deepEqual(await logs.append(job, 1, 1, bytes("x")), { ok: false, code: "gap", wanted: 0 });
  await logs.append(job, 1, 0, bytes("abc"));
  const answers = await Promise.all([
    logs.append(job, 1, 5, bytes("fg")),
    logs.append(job, 1, 3, bytes("de")),
    logs.append(job, 1, 5, bytes("fg")),
  ]);
  assert.deepEqual(answers[0], { ok: false, code: "gap", wanted: 3 });
  assert.deepEqual(answers[2], { ok: true, size: 7 });
  assert.equal(await text(await logs.read(job, 1)), "abcdefg");
});

test("attempts and jobs do not share a log", async () => {
  const other = uuidv7();
  await logs.append(job, 1, 0, bytes("first"));
  await logs.append(job, 2, 0, bytes("second"));
  await logs.append(other, 1, 0, bytes("other"));
  assert.equal(await text(await logs.read(job, 1)), "first");
  assert.equal(await text(await logs.read(job, 2)), "second");
  assert.equal(await text(await logs.read(other, 1)), "other");
});

test("an attempt without a log has size 0 and reads as none", async () => {
  assert.equal(await logs.size(job, 1), 0);
  assert.equal(await logs.read(job, 1), null);
  assert.equal(await logs.remove(job, 1), false);
});

test("a log survives a restart, and goes on where it stood", async () => {
  await logs.append(job, 1, 0, bytes("before "));
  await logs.close();
  logs = await openFolderLogStore(folder);
  assert.equal(await logs.size(job, 1), 7);
  const answers = [
    await logs.append(job, 1, 9, bytes("x")),
    await logs.append(job, 1, 0, bytes("before after")),
  ];
  assert.deepEqual(answers[0], { ok: false, code: "gap", wanted: 7 });
  assert.equal(await text(await logs.read(job, 1)), "before after");
});

test("two servers that share the folder continue each other's logs", async () => {
  const peer = await openFolderLogStore(folder);
  await logs.append(job, 1, 0, bytes("here "));
  await peer.append(job, 1, 5, bytes("there "));
  assert.deepEqual(await logs.append(job, 1, 11, bytes("here")), { ok: true, size: 15 });
  assert.equal(await text(await peer.read(job, 1)), "here there here");
  await peer.close();
});

test("slices are exact, and a range beyond the end is empty", async () => {
  await logs.append(job, 1, 0, bytes("0123456789"));
  const read = async (from?: number, to?: number) => text(await logs.read(job, 1, { from, to }));
  assert.equal(await read(3, 6), "345");
  assert.equal(await read(8), "89");
  assert.equal(await read(undefined, 2), "01");
  assert.equal(await read(20, 30), "");
  assert.equal(await read(6, 3), "");
  assert.equal(await read(-5, 1), "0");
});

test("a large slice is streamed, and is still exact", async () => {
  const block = "0123456789abcdef".repeat(64 * 1024);
  await logs.append(job, 1, 0, bytes(block));
  const slice = await logs.read(job, 1, { from: 5 });
  assert.ok(slice?.body instanceof ReadableStream);
  assert.equal(slice.to - slice.from, block.length - 5);
  assert.equal(await text(slice), block.slice(5));
  const left = await logs.read(job, 1);
  assert.ok(left?.body instanceof ReadableStream);
  await left.body.cancel();
});

test("a stream ends at the size it was opened at, though the log goes on", async () => {
  const block = bytes("x".repeat(512 * 1024));
  await logs.append(job, 1, 0, block);
  const slice = await logs.read(job, 1);
  await logs.append(job, 1, block.length, block);
  assert.equal((await text(slice)).length, block.length);
});

test("the tail is whole lines, counted from the end", async () => {
  const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i}`);
  await logs.append(job, 1, 0, bytes(lines.join("\n")));
  const tail = async (tailLines: number) => text(await logs.read(job, 1, { tailLines }));
  assert.equal(await tail(0), "");
  assert.equal(await tail(1), "line 29999");
  assert.equal(await tail(20_000), lines.slice(-20_000).join("\n"));
  assert.equal((await tail(1_000_000)).length, lines.join("\n").length);
  await logs.append(job, 2, 0, bytes("a\nb\nc\n"));
  assert.equal(await text(await logs.read(job, 2, { tailLines: 2 })), "b\nc\n");
});

test("a log takes 64 MiB and not a byte more", async () => {
  const path = join(folder, logPath(job, 1));
  await logs.append(job, 1, 0, bytes("x"));
  await logs.close();
  const { truncate } = await import("node:fs/promises");
  await truncate(path, LOG_MAX_BYTES - 3);
  logs = await openFolderLogStore(folder);
  const full = { ok: false, code: "full", size: LOG_MAX_BYTES };
  assert.deepEqual(await logs.append(job, 1, LOG_MAX_BYTES - 3, bytes("abcdef")), full);
  assert.deepEqual(await logs.append(job, 1, LOG_MAX_BYTES, bytes("more")), full);
  assert.equal((await stat(path)).size, LOG_MAX_BYTES);
});

test("a listener hears each new size, and nothing after it stopped", async () => {
  const heard: number[] = [];
  const stop = logs.watch(job, 1, (size) => heard.push(size));
  await logs.append(job, 1, 0, bytes("abc"));
  await logs.append(job, 1, 0, bytes("abc"));
  await logs.append(job, 2, 0, bytes("other attempt"));
  await logs.append(job, 1, 3, bytes("de"));
  stop();
  stop();
  await logs.append(job, 1, 5, bytes("f"));
  assert.deepEqual(heard, [3, 5]);
});

test("a removed log is gone, and the next byte of it is its first", async () => {
  await logs.append(job, 1, 0, bytes("abc"));
  assert.equal(await logs.remove(job, 1), true);
  assert.equal(await logs.read(job, 1), null);
  assert.deepEqual(await logs.append(job, 1, 3, bytes("d")), { ok: false, code: "gap", wanted: 0 });
});

test("retention removes whole days and leaves what is no day alone", async () => {
  const old = uuidv7({ msecs: Date.UTC(2024, 0, 5) });
  await logs.append(old, 1, 0, bytes("old"));
  await logs.append(job, 1, 0, bytes("new"));
  await writeFile(join(folder, "README"), "kept");
  assert.equal(await logs.removeBefore(Date.UTC(2024, 0, 5, 23)), 0);
  assert.equal(await logs.removeBefore(Date.UTC(2024, 0, 6)), 1);
  assert.equal(await logs.read(old, 1), null);
  assert.equal(await text(await logs.read(job, 1)), "new");
  assert.ok((await readdir(folder)).includes("README"));
});

test("retention spares what it is told to, and a day of which all is to stay", async () => {
  const at = (day: number, n: number) => uuidv7({ msecs: Date.UTC(2024, 0, day) + n });
  const [spared, gone, other] = [at(5, 1), at(5, 70_000), at(6, 5)];
  for (const id of [spared, gone, other]) await logs.append(id, 1, 0, bytes("old"));
  const asked: [number, number][] = [];
  const days = await logs.removeBefore(Date.UTC(2024, 0, 20), async (from, to) => {
    asked.push([from, to]);
    return from === Date.UTC(2024, 0, 6) ? "all" : new Set([spared]);
  });
  assert.equal(days, 1);
  assert.deepEqual(asked[0], [Date.UTC(2024, 0, 5), Date.UTC(2024, 0, 6)]);
  const left = await Promise.all([spared, gone, other].map((id) => logs.size(id, 1)));
  assert.deepEqual(left, [3, 0, 3]);
});

test("days and their files are told, and nothing else that lies there", async () => {
  const old = uuidv7({ msecs: Date.UTC(2024, 0, 5) });
  await logs.append(old, 1, 0, bytes("old"));
  await logs.append(old, 12, 0, bytes("older"));
  await writeFile(join(folder, "README"), "x");
  await writeFile(join(folder, "2024-01-05", "notes"), "x");
  await writeFile(join(folder, "2024-01-05", old.slice(0, 8), `${old}.0.log`), "x");
  assert.deepEqual(await logs.days(), ["2024-01-05"]);
  const files = [];
  for await (const file of logs.files("2024-01-05")) files.push(file);
  files.sort((a, b) => a.attempt - b.attempt);
  assert.deepEqual(
    files.map(({ job, attempt, bytes }) => [job, attempt, bytes]),
    [
      [old, 1, 3],
      [old, 12, 5],
    ],
  );
  assert.ok(Math.abs(files[0]!.modified - Date.now()) < 60_000);
  for await (const file of logs.files("2023-01-01")) assert.fail(file.job);
});

test("a link in the place of a log is neither read nor written through", async () => {
  const secret = join(folder, "secret");
  await writeFile(secret, "secret");
  await logs.append(job, 1, 0, bytes("x"));
  await logs.remove(job, 1);
  await symlink(secret, join(folder, logPath(job, 1)));
  const result = await logs.append(job, 1, 6, bytes("!"));
  assert.equal(result.ok === false && result.code, "failed");
  await assert.rejects(logs.read(job, 1));
});

test("after a failed write the log asks for the same bytes again", async () => {
  const day = join(folder, logPath(job, 1).split("/")[0]!);
  await writeFile(day, "a file where the folder should be");
  const refused = await logs.append(job, 1, 0, bytes("abc"));
  assert.equal(refused.ok === false && refused.code, "failed");
  await rm(day);
  assert.deepEqual(await logs.append(job, 1, 0, bytes("abc")), { ok: true, size: 3 });
});

test("thousands of logs at once leave few descriptors open", async () => {
  const jobs = Array.from({ length: 3_000 }, () => uuidv7());
  for (const round of ["ab", "cd"]) {
    const offset = round === "ab" ? 0 : 2;
    await Promise.all(jobs.map((id) => logs.append(id, 1, offset, bytes(round))));
  }
  const open = await readdir("/proc/self/fd").catch(() => []);
  assert.ok(open.length < 400, `${open.length} descriptors`);
  for (const id of jobs.slice(0, 50)) assert.equal(await text(await logs.read(id, 1)), "abcd");
});

test("whatever the order and repeats, a log is a prefix of the truth without holes", async () => {
  const truth = "The quick brown fox jumps over the lazy dog. ".repeat(4);
  const chunk = fc.record({
    from: fc.nat(truth.length),
    length: fc.nat(40),
    wait: fc.boolean(),
    reopen: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 60 }), async (chunks) => {
      const id = uuidv7();
      let end = 0;
      const pending: Promise<void>[] = [];
      for (const { from, length, wait, reopen } of chunks) {
        const piece = truth.slice(from, from + length);
        const fits = from <= end;
        const wanted = end;
        if (fits) end = Math.max(end, from + piece.length);
        const after = end;
        pending.push(
          logs.append(id, 1, from, bytes(piece)).then((result) => {
            const expected = fits ? { ok: true, size: after } : { ok: false, code: "gap", wanted };
            assert.deepEqual(result, expected);
          }),
        );
        if (wait || reopen) await Promise.all(pending);
        if (reopen) {
          await logs.close();
          logs = await openFolderLogStore(folder);
        }
      }
      await Promise.all(pending);
      assert.equal(await logs.size(id, 1), end);
      if (end > 0) assert.equal(await text(await logs.read(id, 1)), truth.slice(0, end));
    }),
    { numRuns: 150 },
  );
});
