import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { emptyDatabase, type TestDatabase } from "../support/database.ts";
import { runCli } from "./run_cli.ts";

describe("a DATABASE_URL that cannot be used", () => {
  let folder: string;
  let database: TestDatabase;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "signalbox-url-"));
    database = await emptyDatabase();
  });
  after(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The sentence that it ends with; everything else about its end is the same for all. */
  async function refusal(url: string, command = "serve"): Promise<string> {
    const { code, stdout, stderr } = await runCli([command, "--port", "0"], {
      cwd: folder,
      env: { DATABASE_URL: url, SIGNALBOX_LOG_LEVEL: "error" },
    });
    assert.equal(code, 1, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^signalbox: The database cannot be used \(.*\): .*DATABASE_URL.*\.\n$/);
    assert.ok(!stderr.includes("geheim"), "no password is told");
    assert.equal(stderr.trim().split("\n").length, 1, "one sentence, no stack");
    return stderr;
  }
  const with_ = (change: (url: URL) => void) => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };

  test("because nothing listens there, ends serve and up with what to do", async () => {
    for (const command of ["serve", "up"]) {
      const said = await refusal("postgres://me:geheim@127.0.0.1:9/x", command);
      assert.match(said, /ECONNREFUSED\): start the database, or correct host and port/);
    }
    assert.ok(!existsSync(join(folder, ".signalbox/client.json")));
  });

  test("because its host has no address", async () => {
    assert.match(await refusal("postgres://me:geheim@no-such-host.invalid/x"), /correct host/);
  });

  test("because it has no such database", async () => {
    const said = await refusal(with_((url) => (url.pathname = "/nowhere")));
    assert.match(said, /"nowhere" does not exist\): create that database/);
  });

  test("because it knows no such user", async () => {
    const said = await refusal(with_((url) => Object.assign(url, { username: "nobody_here" })));
    assert.match(said, /correct user and password/);
  });

  test("because it is no address", async () => {
    for (const url of ["postgres://me:geheim@127.0.0.1:99999/x", "postgres://me:ge%heim@h/x"]) {
      assert.match(await refusal(url), /write postgres:/);
    }
  });

  test("because who listens there hangs up", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    try {
      assert.match(
        await refusal(`postgres://me:geheim@127.0.0.1:${port}/x`),
        /correct host and port/,
      );
    } finally {
      server.close();
    }
  });
});
