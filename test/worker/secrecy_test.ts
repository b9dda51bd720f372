import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { withoutSecrets } from "../../src/worker/secrecy.ts";
import { eventually } from "../support/eventually.ts";
import { environOf } from "../support/processes.ts";
import { ScriptedServer, shellJob } from "../support/scripted_server.ts";
import { cleanUpWorkers, startWorker, WORKER_TOKEN } from "../support/worker_process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Reads whatever it may of every process above it, and of the worker's folder. */
const SPY = `
id -un; id -G
pid=$$
while [ "$pid" -gt 1 ]; do
  tr '\\0' '\\n' < /proc/$pid/environ; tr '\\0' '\\n' < /proc/$pid/cmdline
  pid=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$pid/stat)
done
env
`;

describe("a job that spies", () => {
  let server: ScriptedServer;
  before(async () => {
    server = await ScriptedServer.start();
  });
  afterEach(async () => {
    await cleanUpWorkers();
    server.peers.length = 0;
  });
  after(() => server.stop());

  const isRoot = process.getuid!() === 0;

  async function spy(data: string, runAs?: string) {
    const worker = startWorker(server.url, {
      runAs,
      data,
      env: { DATABASE_URL: "postgres://secret" },
    });
    const peer = await server.peer();
    assert.equal(peer.hello.token, WORKER_TOKEN);
    const job = shellJob(`${SPY}\nfind ${data} -type f -exec cat {} +; ls ${data}`);
    peer.send({ type: "assign", jobs: [job] });
    await peer.reportOf(job);
    return { log: peer.logText(job), worker };
  }

  test("finds no secret of a root worker, as whose user it does not run", async () => {
    const data = mkdtempSync(join(tmpdir(), "signalbox-worker-test-"));
    const { log } = await spy(data);
    assert.ok(!log.includes(WORKER_TOKEN), "the token");
    assert.ok(!log.includes("postgres://secret"), "the database");
    if (!isRoot) return;
    assert.match(log, /^nobody\n65534\n/);
    assert.ok(!log.includes("worker_id"), "the worker's folder is closed");
  });

  test("finds none in the worker's environment and command line even as the same user", async () => {
    const data = mkdtempSync(join(tmpdir(), "signalbox-worker-test-"));
    const { log, worker } = await spy(data, isRoot ? "root" : undefined);
    assert.ok(!readFileSync(`/proc/${worker.pid}/cmdline`, "latin1").includes(WORKER_TOKEN));
    // Deno cannot replace its own image; there only root can read this, as the next test shows.
    if ("Deno" in globalThis) return;
    assert.ok(!log.includes(WORKER_TOKEN) && !log.includes("postgres://secret"), log);
    const own = environOf(worker.pid);
    assert.ok(!own.includes(WORKER_TOKEN) && !own.includes("postgres://secret"), own);
  });

  test("has no way to read the memory or environment of a worker of its own user", async (t) => {
    if (!isRoot) return t.diagnostic("needs root to change users");
    const data = mkdtempSync(join(tmpdir(), "signalbox-worker-test-"));
    const tokenFile = join(data, "token");
    writeFileSync(tokenFile, `${WORKER_TOKEN}\n`);
    // The sources may stand where the other user cannot go.
    const home = mkdtempSync(join(tmpdir(), "signalbox-src-"));
    for (const part of ["src", "test/support", "package.json"]) {
      cpSync(join(ROOT, part), join(home, part), { recursive: true });
    }
    chmodSync(home, 0o755);
    for (const path of [data, tokenFile]) chownSync(path, 65534, 65534);
    const job = shellJob("cat /proc/$PPID/environ /proc/$PPID/maps; ls -l /proc/$PPID/fd; exit 0");
    try {
      const modules = join(ROOT, "node_modules");
      const { symlinkSync } = await import("node:fs");
      symlinkSync(modules, join(home, "node_modules"));
      const child = join(home, "test/support/worker_child.ts");
      const { spawn } = await import("node:child_process");
      const options = JSON.stringify({ url: server.url, name: "plain", slots: 1, data, tokenFile });
      const asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
      const worker = spawn("setpriv", [...asNobody, process.execPath, child, options], {
        env: { PATH: process.env.PATH! },
        stdio: ["ignore", "ignore", "inherit"],
      });
      const peer = await server.peer();
      peer.send({ type: "assign", jobs: [job] });
      await peer.reportOf(job);
      const log = peer.logText(job);
      assert.equal(log.match(/Permission denied/g)?.length, 3, log);
      worker.kill("SIGTERM");
      await new Promise((resolve) => worker.once("exit", resolve));
    } finally {
      rmSync(home, { recursive: true, force: true });
      rmSync(data, { recursive: true, force: true });
    }
  });

  test("another user is refused to a worker that is not root, and an unknown one to all", async () => {
    const worker = startWorker(server.url, { runAs: "no-such-user-here" });
    assert.equal((await worker.exited).code, 2);
    assert.match(worker.stderr(), isRoot ? /no such user/ : /only a worker that runs as root/);
  });

  test("a second worker on one folder is refused with a sentence", async () => {
    const first = startWorker(server.url);
    await server.peer();
    const second = startWorker(server.url, { data: first.data });
    assert.equal((await second.exited).code, 2);
    assert.match(second.stderr(), new RegExp(`another worker \\(process ${first.pid}\\) uses`));
    const id = server.peers[0]!.hello.worker_id;
    first.kill("SIGKILL");
    await first.exited;
    server.peers.length = 0;
    startWorker(server.url, { data: first.data });
    assert.equal((await server.peer()).hello.worker_id, id);
  });

  test("a wrong token ends a worker that was never welcome, with the reason", async () => {
    server.options = { welcome: () => null };
    const worker = startWorker(server.url);
    const peer = await eventually(() => server.peers[0]?.hello && server.peers[0], "it says hello");
    peer.refuse("unauthorized", "This is no worker token.");
    assert.equal((await worker.exited).code, 1);
    assert.match(worker.stderr(), /no worker token/);
    assert.ok(!worker.stderr().includes(WORKER_TOKEN));
    server.options = {};
  });
});

test("names that look like secrets are dropped from an environment, others stay", () => {
  const env = {
    PATH: "/bin",
    SIGNALBOX_ADMIN_TOKEN: "a",
    DATABASE_URL: "b",
    MY_PASSWORD: "c",
    LANG: "d",
  };
  assert.deepEqual(withoutSecrets({ ...env, NONE: undefined }), { PATH: "/bin", LANG: "d" });
});
