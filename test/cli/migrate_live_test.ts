import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { emptyDatabase, type TestDatabase } from "../support/database.ts";
import { runCli } from "./run_cli.ts";

let folder: string;
let database: TestDatabase;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-migrate-"));
  database = await emptyDatabase();
});
afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (url: string, ...args: string[]) =>
  runCli(["migrate", ...args], { cwd: folder, env: { DATABASE_URL: url } });

describe("signalbox migrate", () => {
  test("tells what is missing, applies it once, and then has nothing to do", async () => {
    const before = await run(database.url, "--check");
    assert.equal(before.code, 1);
    assert.match(before.stdout, /^The database lacks 0000_init.*: run `signalbox migrate`\.\n$/);
    const first = await run(database.url);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^Applied \d+ migrations?: 0000_init/);
    for (const args of [[], ["--check"]]) {
      const again = await run(database.url, ...args);
      assert.deepEqual(again, { code: 0, stdout: "The database is up to date.\n", stderr: "" });
    }
    assert.deepEqual(readdirSync(folder), [], "a given database needs no data folder");
  });

  test("says in a sentence that there is no database, or none to be reached", async () => {
    const away = await run("postgres://a:secret@127.0.0.1:9/x");
    assert.equal(away.code, 1);
    assert.match(away.stderr, /^signalbox: The database cannot be used \(ECONNREFUSED\).*\n$/);
    assert.ok(!away.stderr.includes("secret"));
    const none = await runCli(["migrate", "--check"], { cwd: folder });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /There is no database in .* yet: `signalbox up` makes one/);
    assert.ok(!existsSync(join(folder, ".signalbox/postgres")));
  });
});
