import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { findCgroups, JobCgroup } from "../../src/worker/usage/cgroup.ts";

/** A laid-out tree of files stands in for the kernel's, which few test machines delegate. */
describe("a control group", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "signalbox-cgroup-test-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const lay = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  };

  test("says what an attempt used, and that the kernel counted it", () => {
    lay({
      "memory.peak": "104857600\n",
      "cpu.stat": "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n",
      "io.stat":
        "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2\n",
      "memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n",
    });
    assert.deepEqual(new JobCgroup(root, root).read(), {
      peak_ram_mb: 100,
      cpu_ms: 1234.567,
      disk_read_bytes: 4097,
      disk_write_bytes: 8194,
      oom_killed: true,
      source: { ram: "cgroup", cpu: "cgroup", disk: "cgroup", oom: "cgroup" },
    });
  });

  test("leaves out what no controller counted", () => {
    lay({ "cpu.stat": "usage_usec 5000\n" });
    assert.deepEqual(new JobCgroup(root, root).read(), { cpu_ms: 5, source: { cpu: "cgroup" } });
  });

  test("is killed whole, and the worker stands in it while the command starts", async () => {
    lay({ "cgroup.kill": "", "cgroup.procs": "" });
    const home = join(root, "home");
    mkdirSync(home);
    const group = new JobCgroup(root, home, 42);
    group.kill();
    assert.equal(readFileSync(join(root, "cgroup.kill"), "utf8"), "1");
    const start = async () => {
      assert.equal(readFileSync(join(root, "cgroup.procs"), "utf8"), "42");
      assert.ok(!existsSync(join(home, "cgroup.procs")));
      throw new Error("no such program");
    };
    await assert.rejects(group.around(start), /no such program/);
    assert.equal(readFileSync(join(home, "cgroup.procs"), "utf8"), "42");
    assert.equal(group.remove(), false);
  });

  test("is made for each attempt below a group that is ours", () => {
    lay({ "cgroup.controllers": "cpu io memory pids\n", "cgroup.procs": "42\n" });
    const groups = findCgroups(root, 42)!;
    assert.equal(readFileSync(join(root, "signalbox-worker/cgroup.procs"), "utf8"), "42");
    const enabled = readFileSync(join(root, "cgroup.subtree_control"), "utf8");
    assert.equal(enabled, "+memory +cpu +io +pids");
    const group = groups.make("0190", 3);
    assert.ok(existsSync(group.path) && group.path.startsWith(root));
    assert.equal(group.remove(), true);
  });

  test("is not made where others live in ours, or memory is not delegated", () => {
    assert.equal(findCgroups(null), null);
    assert.equal(findCgroups(join(root, "none"), 1), null);
    lay({ "cgroup.controllers": "cpu io memory\n", "cgroup.procs": "42\n43\n" });
    assert.equal(findCgroups(root, 42), null);
    lay({ "cgroup.controllers": "cpu\n", "cgroup.procs": "42\n" });
    assert.equal(findCgroups(root, 42), null);
    mkdirSync(join(root, "file"));
  });
});
