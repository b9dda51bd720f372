/** `npm start` and `npx signalbox` as a newcomer meets them, with a small program in our place. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "./support/eventually.ts";
import { isRunning } from "./support/processes.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const made: string[] = [];
let clone: string;

/** Says what it was given, then ends, or counts the signals it gets. */
const PROGRAM = `
import { runtime } from "${join(ROOT, "src/runtime/runtime.ts")}";
const [word, code] = runtime.args;
console.log("args", JSON.stringify(runtime.args), "cwd", process.cwd());
if (word === "end") runtime.exit(Number(code));
if (word === "die") process.kill(process.pid, code);
let heard = 0;
const hear = (signal) => () => {
  heard += 1;
  console.log("heard", signal, heard);
  if (heard === 2) runtime.exit(9);
  setTimeout(() => runtime.exit(0), 4000);
};
runtime.onSignal("SIGTERM", hear("SIGTERM"));
runtime.onSignal("SIGINT", hear("SIGINT"));
console.log("ready", process.pid);
setInterval(() => {}, 1000);
`;

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "signalbox-clone-"));
  made.push(clone);
  for (const name of ["bin", "package.json", "bun.lock"]) {
    await cp(join(ROOT, name), join(clone, name), { recursive: true });
  }
  await mkdir(join(clone, "src/cli"), { recursive: true });
  await writeFile(join(clone, "src/cli/main.ts"), PROGRAM);
});

after(() => Promise.all(made.map((path) => rm(path, { recursive: true, force: true }))));

/** What a finished set-up leaves behind. */
async function finishSetUp(): Promise<void> {
  const { packageManager } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const version = packageManager.split("@")[1];
  const folder = join(clone, `.tools/bun-${version}/node_modules/@oven/bun-here/bin`);
  await mkdir(folder, { recursive: true });
  await symlink(process.execPath, join(folder, "bun"));
  const hash = createHash("sha256").update(version);
  for (const name of ["bun.lock", "package.json"]) hash.update(await readFile(join(clone, name)));
  await mkdir(join(clone, "node_modules"));
  await writeFile(join(clone, "node_modules/.signalbox-installed"), hash.digest("hex"));
}

interface Launched {
  child: ChildProcess;
  output(): string;
  exit: Promise<number | string>;
}

/** A machine that has Node and npm and no Bun; `env` is added. */
async function launch(command: string[], env: Record<string, string> = {}): Promise<Launched> {
  const node = await findNode();
  const child = spawn(command[0]!, command.slice(1), {
    cwd: clone,
    detached: true,
    env: {
      PATH: `${dirname(node)}:/usr/bin:/bin`,
      HOME: clone,
      NPM_CONFIG_LOGLEVEL: "error",
      ...env,
    },
  });
  let output = "";
  child.stdout!.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    output += chunk;
  });
  const exit = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal ?? "?"));
  });
  return { child, output: () => output, exit };
}

async function findNode(): Promise<string> {
  const child = spawn("node", ["-p", "process.execPath"]);
  let path = "";
  child.stdout.on("data", (chunk) => {
    path += chunk;
  });
  await new Promise((resolve) => child.on("close", resolve));
  return path.trim();
}

async function ready(launched: Launched): Promise<number> {
  await eventually(() => /ready \d+/.test(launched.output()), "the program is ready");
  return Number(/ready (\d+)/.exec(launched.output())![1]);
}

const heard = ({ output }: Launched) => output().match(/heard \w+ \d/g) ?? [];

test("arguments, working folder and exit code pass through", async () => {
  await finishSetUp();
  const run = await launch(["node", "bin/signalbox.mjs", "end", "7", "--", "a b", "--port"]);
  assert.equal(await run.exit, 7);
  assert.match(run.output(), /args \["end","7","--","a b","--port"\]/);
  assert.ok(run.output().includes(`cwd ${clone}`));
});

test("npm start runs `up`, and what follows -- goes along", async () => {
  await finishSetUp();
  const run = await launch(["npm", "start", "--", "--port", "5000"]);
  await ready(run);
  assert.match(run.output(), /args \["up","--port","5000"\]/);
  process.kill(-run.child.pid!, "SIGTERM");
  await run.exit;
});

test("a program ended by a signal gives 128 and its number", async () => {
  await finishSetUp();
  const run = await launch(["node", "bin/signalbox.mjs", "die", "SIGKILL"]);
  assert.equal(await run.exit, 137);
});

for (const [name, target] of [
  ["the whole group, as Ctrl-C does", -1],
  ["npm alone, as a supervisor does", 1],
] as const) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal} to ${name}, drains once and ends everything`, async () => {
      await finishSetUp();
      const run = await launch(["npm", "start"]);
      const pid = await ready(run);
      process.kill(run.child.pid! * target, signal);
      await run.exit;
      assert.deepEqual(heard(run), [`heard ${signal} 1`]);
      assert.ok(!isRunning(pid));
    });
  }
}

test("a second Ctrl-C a little later forces the end", async () => {
  await finishSetUp();
  const run = await launch(["node", "bin/signalbox.mjs", "up"]);
  await ready(run);
  process.kill(-run.child.pid!, "SIGINT");
  await eventually(() => heard(run).length === 1, "the first is heard");
  const firstAt = performance.now();
  await eventually(() => performance.now() - firstAt > 1_550, "the time of one signal goes by");
  process.kill(-run.child.pid!, "SIGINT");
  assert.equal(await run.exit, 9);
  assert.deepEqual(heard(run), ["heard SIGINT 1", "heard SIGINT 2"]);
});

test("npm killed outright takes everything with it", async () => {
  await finishSetUp();
  const run = await launch(["npm", "start"]);
  const pid = await ready(run);
  process.kill(run.child.pid!, "SIGKILL");
  await eventually(() => !isRunning(pid), "the program ends");
  assert.deepEqual(heard(run), ["heard SIGTERM 1"]);
});

test("the launcher killed outright takes the program with it", async () => {
  await finishSetUp();
  const run = await launch(["node", "bin/signalbox.mjs", "up"]);
  const pid = await ready(run);
  process.kill(run.child.pid!, "SIGKILL");
  await eventually(() => !isRunning(pid), "the program ends");
});

test("without a network the start says so in sentences, and leaves nothing half done", async () => {
  const offline = { npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" };
  const run = await launch(["node", "bin/signalbox.mjs", "up"], offline);
  assert.equal(await run.exit, 1);
  assert.match(
    run.output(),
    /signalbox: Bun [\d.]+ could not be fetched through npm: .*127\.0\.0\.1/,
  );
  assert.match(run.output(), /Check the network/);
  assert.doesNotMatch(run.output(), /\n\s+at /);
  const followed = await launch(["node", "bin/signalbox.mjs", "submit", "--follow"], offline);
  assert.equal(await followed.exit, 125);
});

test("a set-up waits for another one, and takes over from one that was killed", async () => {
  await finishSetUp();
  await rm(join(clone, "node_modules"), { recursive: true });
  await writeFile(join(clone, ".tools/setup.lock"), String(process.pid));
  // Nothing to install: the set-up needs no network.
  await writeFile(join(clone, "package.json"), '{"packageManager":"bun@0"}');
  const offline = { npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" };
  const run = await launch(["node", "bin/signalbox.mjs", "end", "0"], offline);
  await eventually(() => /Waiting for another set-up/.test(run.output()), "it waits");
  await writeFile(join(clone, ".tools/setup.lock"), String(2 ** 22 + 1));
  assert.equal(await run.exit, 1);
  assert.match(run.output(), /Bun 0 could not be fetched/);
});

test("an old Node is told to be too old", async () => {
  const { SetUpError, checkNode } = (await import(join(ROOT, "bin/setup.mjs"))) as {
    SetUpError: new () => Error;
    checkNode(version: string): void;
  };
  assert.throws(() => checkNode("18.20.1"), SetUpError);
  checkNode("20.0.0");
});
