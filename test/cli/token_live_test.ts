/** `signalbox token` against a real server, with a real worker that joins with what it made. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { ADMIN_TOKEN, type Process, TestSystem } from "../support/system.ts";
import { type CliOptions, ROOT, runCli } from "./run_cli.ts";

let database: TestDatabase;
let system: TestSystem;
let server: Process;

before(async () => {
  database = await testDatabase();
  system = await TestSystem.create({ databaseUrl: database.url });
  server = await system.server();
});
after(async () => {
  await system?.stop();
  await database?.drop();
});

const run = (args: string[], options: CliOptions = {}) => {
  const env = { SIGNALBOX_URL: system.client.url, SIGNALBOX_TOKEN: ADMIN_TOKEN, ...options.env };
  return runCli(["token", ...args], { cwd: system.folder, ...options, env });
};

test("a token is made, used, listed and revoked, and its secret is on stdout alone", async () => {
  const made = await run(["create", "--name", "ci", "--role", "viewer", "--expires", "90d"]);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^sbx_[\w-]{43}\n$/);
  assert.match(made.stderr, /Made token [\w-]{36} "ci": viewer in default, until 20\d\d-/);
  assert.match(made.stderr, /shown this once/);
  const secret = made.stdout.trim();
  assert.ok(!made.stderr.includes(secret));
  const asToken = { env: { SIGNALBOX_TOKEN: secret } };
  const denied = await run(["list"], asToken);
  assert.equal(denied.code, 1);
  assert.match(denied.stderr, /Needs the role admin/);
  const list = await run(["list"]);
  assert.match(list.stdout, /NAME +FOR +MAY/);
  assert.match(list.stdout, /ci +api +viewer +sbx_/);
  assert.ok(!list.stdout.includes(secret));
  const { items } = JSON.parse((await run(["list", "--json"])).stdout);
  const { id } = items.find((item: { name: string }) => item.name === "ci");
  const revoked = await run(["revoke", id, crypto.randomUUID(), "--reason", "test"]);
  assert.equal(revoked.code, 1);
  assert.equal(revoked.stdout, `Revoked ${id} "ci".\n`);
  assert.match(revoked.stderr, /has no such token/);
  assert.match((await run(["list"])).stdout, /ci +api +viewer +sbx_\S+ +revoked/);
  assert.match((await run(["list"], asToken)).stderr, /token/);
});

test("a token for metrics scrapes", async () => {
  const made = await run(["create", "--metrics", "--json"]);
  const { secret, purpose } = JSON.parse(made.stdout);
  assert.equal(purpose, "metrics");
  const headers = { authorization: `Bearer ${secret}` };
  const response = await fetch(`${system.client.url}/metrics`, { headers });
  assert.equal(response.status, 200);
  assert.match(await response.text(), /^signalbox_database_up 1$/m);
});

test("what does not fit together is told before anything is asked", async () => {
  for (const [args, sentence] of [
    [["--pool", "gpu"], /--pool is for tokens of workers: give --worker too/],
    [["--shared"], /--shared is for tokens of workers/],
    [["--worker", "--role", "viewer"], /A worker's token has no --role/],
    [["--worker", "--metrics"], /give --worker or --metrics/],
    [["--metrics", "--role", "viewer"], /no --role/],
    [["--role", "king"], /viewer, member, operator, admin, owner/],
    [["--expires", "soon"], /90s, 15m, 2h or 1d/],
  ] as const) {
    const { code, stderr } = await run(["create", ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, sentence);
  }
});

test("a worker joins with a worker's token, is refused what it does not allow, and ends with it", async () => {
  const flags = [
    "--worker",
    "--name",
    "gpus",
    "--pool",
    "gpu",
    "--slots",
    "2",
    "--feature",
    "cuda",
  ];
  const made = JSON.parse((await run(["create", ...flags, "--json"])).stdout);
  const start = (...more: string[]) => {
    const url = system.client.url.replace("http", "ws");
    const data = join(system.folder, `worker-${crypto.randomUUID()}`);
    const args = ["worker", "--url", url, "--data", data, "--name", "bert", ...more];
    const { PATH = "", HOME = "/tmp" } = process.env;
    const deno = "Deno" in globalThis ? ["run", "--allow-all"] : [];
    const child = spawn(process.execPath, [...deno, join(ROOT, "src/cli/main.ts"), ...args], {
      env: { PATH, HOME, SIGNALBOX_WORKER_TOKEN: made.secret },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const part of [child.stdout, child.stderr]) {
      part.on("data", (chunk) => {
        text += chunk;
      });
    }
    return { child, text: () => text };
  };
  const wrong = start("--slots", "3");
  const code = await new Promise((done) => wrong.child.once("exit", done));
  assert.equal(code, 1, wrong.text());
  assert.match(wrong.text(), /not_allowed: This token allows the pool .*gpu.* only/);
  assert.match(wrong.text(), /This token allows 2 slots: start the worker with --slots 2, not 3/);

  const right = start("--slots", "2", "--pool", "gpu", "--feature", "cuda");
  try {
    await system.connected("bert");
    const revoked = await run(["revoke", made.id]);
    assert.equal(revoked.code, 0, revoked.stderr);
    await eventually(() => /unauthorized/.test(right.text()), "it is cut off");
    assert.match(server.stderr(), /worker refused/);
    for (const log of [right.text(), server.stderr()]) assert.ok(!log.includes(made.secret));
    assert.match((await run(["list"])).stdout, /gpus +workers +pool gpu, features cuda, 2 slots/);
  } finally {
    right.child.kill("SIGKILL");
  }
});

test("worker tokens of the shared fleet are listed and revoked apart", async () => {
  const made = JSON.parse((await run(["create", "--worker", "--shared", "--json"])).stdout);
  assert.equal(made.org, null);
  const { items } = JSON.parse((await run(["list", "--shared", "--json"])).stdout);
  assert.deepEqual(
    items.map((item: { id: string }) => item.id),
    [made.id],
  );
  assert.equal((await run(["revoke", made.id])).code, 0);
});
