import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FolderInUse, lockFolder } from "../../../src/db/embedded/folder_lock.ts";

let folder: string;

async function rewrite(changes: Record<string, unknown>): Promise<void> {
  const path = join(folder, "lock");
  const holder = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...holder, ...changes }));
}

describe("the lock of a data folder", () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "signalbox-lock-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("is held by one, and free again after its release", async () => {
    const release = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), (error: unknown) => {
      assert.ok(error instanceof FolderInUse);
      assert.equal(error.holder.pid, process.pid);
      assert.equal(error.holder.host, hostname());
      assert.match(error.message, /since 20\d\d-/);
      return true;
    });
    await release();
    await (await lockFolder(folder))();
    assert.deepEqual(await readdir(folder), [], "and leaves no file behind");
  });

  test("of a dead process is taken over by exactly one of many", async () => {
    for (let round = 0; round < 50; round++) {
      await lockFolder(folder, { name: "lock" }).catch(() => {});
      await rewrite({ identity: "of a process that is gone" });
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
      const held = results.filter((result) => result.status === "fulfilled");
      assert.equal(held.length, 1, `round ${round}`);
      for (const result of results) {
        if (result.status === "rejected") assert.ok(result.reason instanceof FolderInUse);
      }
      await held[0]!.value();
    }
  });

  test("is not released by somebody whose lock was replaced", async () => {
    const first = await lockFolder(folder);
    await rewrite({ identity: "of a process that is gone" });
    const second = await lockFolder(folder);
    await first();
    await assert.rejects(lockFolder(folder), FolderInUse);
    await second();
  });

  test("from another machine counts while it is touched, and no longer", async () => {
    const release = await lockFolder(folder);
    await rewrite({ place: "another machine", host: "elsewhere", pid: 1 });
    const path = join(folder, "lock");
    const toucher = setInterval(() => void utimes(path, new Date(), new Date()), 50);
    await assert.rejects(lockFolder(folder, { elsewhereMs: 1_000 }), (error: unknown) => {
      assert.ok(error instanceof FolderInUse);
      assert.match(error.message, /process 1 on elsewhere/);
      return true;
    });
    clearInterval(toucher);
    await (await lockFolder(folder, { elsewhereMs: 300 }))();
    await release();
  });

  test("is free where its file is torn", async () => {
    for (const torn of ["", "{", "null", "[]", '"text"', "{}"]) {
      await writeFile(join(folder, "lock"), torn);
      await (await lockFolder(folder, { elsewhereMs: 100 }))();
    }
  });
});
