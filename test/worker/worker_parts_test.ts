import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openDataFolder } from "../../src/worker/data_folder.ts";
import {
  hasMark,
  parseStat,
  readProcess,
  readProcesses,
} from "../../src/worker/exec/process_table.ts";
import { LongTimer } from "../../src/worker/long_timer.ts";
import { endpointOf, readToken, resolveOptions, systemOf } from "../../src/worker/options.ts";
import { packFrames } from "../../src/worker/pack_frames.ts";
import { plainText } from "../../src/worker/report.ts";
import { resultText } from "../../src/worker/result_text.ts";
import { diskBytes, HostMetrics, networkBytes } from "../../src/worker/usage/host_metrics.ts";
import { WORKER_VERSION } from "../../src/worker/version.ts";
import { eventually } from "../support/eventually.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("the worker says the version of the package", () => {
  const text = readFileSync(join(ROOT, "package.json"), "utf8");
  assert.equal(WORKER_VERSION, JSON.parse(text).version);
});

describe("options", () => {
  const env = { SIGNALBOX_DATA: "/data" };

  test("have defaults, and a folder by name", () => {
    const resolved = resolveOptions({ url: "http://host:4600", name: "a/b c" }, env);
    assert.equal(resolved.url, "ws://host:4600/worker/v1");
    assert.equal(resolved.data, "/data/worker-a_b_c");
    assert.equal(resolved.killGraceMs, 10_000);
    assert.ok(resolved.slots >= 1 && resolved.pool === "default");
  });

  test("that cannot be are refused with what to write", () => {
    assert.throws(() => resolveOptions({ url: "ws://h", slots: 0 }, env), /--slots 0: write/);
    assert.throws(() => resolveOptions({ url: "nonsense" }, env), /write ws:/);
    assert.throws(() => endpointOf("ws://user:secret@host"), /does not belong/);
    assert.equal(endpointOf("https://host/base/worker/v1"), "wss://host/base/worker/v1");
    assert.equal(systemOf("arm64", "linux"), "aarch64-linux");
  });

  test("take the token from a file, then from the environment", () => {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-options-test-"));
    const file = join(folder, "token");
    writeFileSync(file, "from-file\n");
    const variable = { SIGNALBOX_WORKER_TOKEN: "from-env" };
    assert.equal(readToken({ url: "", tokenFile: file }, variable), "from-file");
    assert.equal(readToken({ url: "" }, variable), "from-env");
    assert.throws(() => readToken({ url: "" }, {}), /--token-file FILE, or SIGNALBOX_WORKER_TOKEN/);
    writeFileSync(file, "\n");
    assert.throws(() => readToken({ url: "", tokenFile: file }, {}), /first line is empty/);
    rmSync(folder, { recursive: true });
  });
});

describe("the worker's folder", () => {
  test("keeps its id, and a lock whose holder is gone is taken over", () => {
    const path = join(mkdtempSync(join(tmpdir(), "signalbox-folder-test-")), "inner");
    const first = openDataFolder(path);
    first.release();
    const stale = { pid: process.pid + 1, start_ticks: 1, boot: "long ago" };
    for (const text of [JSON.stringify(stale), "", "{", '{"pid":1}']) {
      writeFileSync(join(path, "lock"), text);
      const again = openDataFolder(path);
      assert.equal(again.workerId, first.workerId);
      again.release();
      assert.ok(!existsSync(join(path, "lock")));
    }
    rmSync(join(path, ".."), { recursive: true });
  });

  test("is refused while its holder lives, and where it cannot be made", () => {
    const path = mkdtempSync(join(tmpdir(), "signalbox-folder-test-"));
    const parent = readProcess(process.ppid)!;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const holder = { pid: parent.pid, start_ticks: parent.startTicks, boot };
    writeFileSync(join(path, "lock"), JSON.stringify(holder));
    assert.throws(() => openDataFolder(path), /another worker \(process \d+\) uses .* --data/);
    writeFileSync(join(path, "file"), "");
    assert.throws(() => openDataFolder(join(path, "file")), /cannot be used/);
    rmSync(path, { recursive: true });
  });
});

describe("processes", () => {
  test("are read whatever their names hold", () => {
    const line = "7 (a ) b (c) R) S 1 2 3 0 -1 0 0 0 0 0 10 20 30 40 20 0 1 0 555 0 0";
    assert.deepEqual(parseStat(line), {
      pid: 7,
      state: "S",
      parent: 1,
      group: 2,
      session: 3,
      startTicks: 555,
      cpuTicks: 100,
    });
    assert.equal(parseStat("nonsense"), null);
  });

  test("of this machine hold this one, and no mark that it has not", () => {
    const own = readProcesses().get(process.pid)!;
    assert.equal(own.parent, process.ppid);
    assert.equal(hasMark(process.pid, "SIGNALBOX_RUN=never"), false);
    assert.equal(hasMark(2 ** 30, "A=b"), false);
  });
});

describe("host metrics", () => {
  test("count whole disks and outside networks only", () => {
    const disks = [
      "   8       0 sda 10 0 100 0 5 0 50 0 0 0 0",
      "   8       1 sda1 10 0 100 0 5 0 50 0 0 0 0",
      " 259       0 nvme0n1 1 0 10 0 1 0 10 0 0 0 0",
      "   7       0 loop0 1 0 10 0 1 0 10 0 0 0 0",
    ].join("\n");
    assert.equal(diskBytes(disks), 170 * 512);
    const net = [
      "Inter-|   Receive",
      " face |bytes    packets",
      "    lo:    3193      29    0    0    0     0          0         0     3193      29",
      "  eth0: 1000 5 0 0 0 0 0 0 24 10 0 0 0 0 0 0",
    ].join("\n");
    assert.equal(networkBytes(net), 1024);
    assert.equal(diskBytes(undefined), undefined);
  });

  test("arrive once a second", async () => {
    const host = new HostMetrics();
    host.start();
    const rates: number[] = [];
    const stop = host.onNetwork((mbps) => rates.push(mbps));
    await eventually(() => host.latest().cpu_pct !== undefined, "a second has passed");
    const { ram_free_mb, ram_total_mb, cpu_pct } = host.latest();
    assert.ok(ram_free_mb! > 0 && ram_total_mb! > ram_free_mb!);
    assert.ok(cpu_pct! >= 0 && cpu_pct! <= 100);
    assert.equal(rates.length, 1);
    stop();
    host.stop();
  });
});

test("frames are cut where they are full, by bytes and by count", () => {
  const frames: string[] = [];
  const pack = (pieces: string[], bytes: number, count: number) => {
    frames.length = 0;
    packFrames('{"a":[', pieces, bytes, count, (frame) => frames.push(frame));
    return frames.map((frame) => (JSON.parse(frame) as { a: unknown[] }).a);
  };
  assert.deepEqual(pack([], 100, 10), []);
  assert.deepEqual(pack(["1", "2", "3"], 100, 2), [[1, 2], [3]]);
  const wide = Array.from({ length: 9 }, () => JSON.stringify("€€€"));
  assert.deepEqual(pack(wide, 40, 100).flat().length, 9);
  for (const frame of frames) assert.ok(Buffer.byteLength(frame) <= 40, frame);
  assert.throws(() => pack([JSON.stringify("x".repeat(50))], 40, 100), /fits no frame/);
});

test("texts in reports are well-formed and bounded", () => {
  assert.equal(plainText("a\0\ud800b", 10), "a\u2400\ufffdb");
  assert.equal(plainText("x".repeat(20), 5), "xxxx…");
  assert.equal(plainText("abc😀", 5).isWellFormed(), true);
  assert.equal(plainText("abc😀d", 5).isWellFormed(), true);
});

test("results are JSON of bounded size and depth; brackets in texts do not count", () => {
  assert.deepEqual(resultText({ a: "[[[[" }, 100), { ok: true, json: '{"a":"[[[["}' });
  assert.deepEqual(resultText("[{".repeat(100), 1000).ok, true);
  assert.deepEqual(resultText('\\"[', 1000).ok, true);
  assert.match((resultText(() => {}, 10) as { why: string }).why, /function/);
  const deep = JSON.parse("[".repeat(65) + "]".repeat(65));
  assert.match((resultText(deep, 1000) as { why: string }).why, /deeper than 64/);
});

test("a timer of 30 days waits, and one that is cancelled never fires", async () => {
  let fired = 0;
  const long = new LongTimer(30 * 24 * 3600 * 1000, () => {
    fired += 1;
  });
  const gone = new LongTimer(1, () => {
    fired += 1;
  });
  gone.cancel();
  await new Promise<void>((resolve) => new LongTimer(20, resolve));
  assert.equal(fired, 0);
  long.cancel();
});
