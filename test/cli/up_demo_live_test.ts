/** `signalbox up --demo` as somebody has it who wants to see what this is. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { ORGANIZATIONS } from "../../src/demo/cast/organizations.ts";
import { Client, type JobFilter } from "../../src/sdk/signalbox.ts";
import { eventually } from "../support/eventually.ts";
import { processesWith } from "../support/processes.ts";
import { type CliProcess, runCli, startCli } from "./run_cli.ts";

let folder: string;
let data: string;
let demo: CliProcess;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-demo-"));
  data = join(folder, "data");
});
after(async () => {
  if (demo && demo.child.exitCode === null) demo.child.kill("SIGKILL");
  for (const pid of processesWith(folder)) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<CliProcess> {
  const args = ["up", "--demo", "--port", "0", "--data", data];
  const started = startCli(args, { cwd: folder, env: { SIGNALBOX_LOG_LEVEL: "warn" } });
  await eventually(
    () => {
      if (started.child.exitCode !== null) throw new Error(started.stderr());
      return /Ctrl-C/.test(started.stdout());
    },
    "it is ready",
    { deadlineMs: 90_000 },
  );
  return started;
}

/** Of the living demo: of what was submitted since. */
async function has(client: Client, filter: JobFilter, since: string): Promise<boolean> {
  const page = await client.jobsPage({ ...filter, created_after: since }, { pageSize: 1 });
  return page.items.length > 0;
}

describe("signalbox up --demo", () => {
  test("lives: three organizations with jobs that run, wait, end well, fail and are retried", async () => {
    const since = new Date().toISOString();
    demo = await start();
    assert.match(demo.stdout(), /This is a demo/);
    const { url, token } = JSON.parse(readFileSync(join(data, "client.json"), "utf8"));
    const late = { deadlineMs: 110_000, everyMs: 500 };
    const clients = ORGANIZATIONS.map(({ name: org }) => new Client({ url, token, org }));
    await Promise.all(
      clients.map((client) =>
        eventually(
          async () =>
            (await has(client, { state: ["succeeded"] }, since)) &&
            (await has(client, { state: ["running"] }, since)) &&
            (await has(client, { state: ["queued", "ready"] }, since)),
          `${client.org} has jobs that ended well, run and wait`,
          late,
        ),
      ),
    );
    const anywhere = async (found: (client: Client) => Promise<boolean>) =>
      (await Promise.all(clients.map(found))).includes(true);
    await eventually(
      () => anywhere((client) => has(client, { state: ["failed"] }, since)),
      "a job has failed for good",
      late,
    );
    await eventually(
      () =>
        anywhere(async (client) => {
          const { items } = await client.jobsPage({ created_after: since }, { pageSize: 1_000 });
          return items.some(({ attempt }) => attempt > 1);
        }),
      "a job was tried again",
      late,
    );
    const workers = (await Promise.all(clients.map((client) => client.workers()))).flat();
    assert.ok(new Set(workers.map(({ name }) => name)).size >= 10);
    const open = await fetch(`${url}/api/v1/orgs`).then((answer) => answer.json());
    assert.deepEqual(
      (open as { items: { name: string }[] }).items.map(({ name }) => name),
      ["meridian"],
    );
  });

  test("ends quickly, and goes on at the next start", async () => {
    const began = performance.now();
    demo.child.kill("SIGINT");
    const { code, stderr } = await demo.done;
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - began < 20_000);
    assert.deepEqual(processesWith(folder), []);
    const again = new Date().toISOString();
    demo = await start();
    assert.doesNotMatch(demo.stderr(), /writes a past/);
    const { url, token } = JSON.parse(readFileSync(join(data, "client.json"), "utf8"));
    const client = new Client({ url, token, org: "hazel-and-rye" });
    const late = { deadlineMs: 60_000, everyMs: 500 };
    await eventually(() => has(client, { state: ["succeeded"] }, again), "work goes on", late);
    demo.child.kill("SIGINT");
    assert.equal((await demo.done).code, 0);
  });

  test("takes a seed with --demo only", async () => {
    const { code, stderr } = await runCli(["up", "--demo-seed", "3"], { cwd: folder });
    assert.equal(code, 2);
    assert.match(stderr, /--demo-seed is for --demo only/);
  });
});
