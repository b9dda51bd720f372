import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalWorker } from "../../../src/cli/up/local_worker.ts";
import { eventually } from "../../support/eventually.ts";
import { isRunning } from "../../support/processes.ts";

const STAND_IN = fileURLToPath(new URL("./worker_stand_in.ts", import.meta.url));
const TOKEN = "a-token-that-must-not-be-seen-0123456789";

interface Start {
  pid: number;
  token: string;
  env: Record<string, string>;
  args: string[];
}

let folder: string;
let said: string[];
let made: LocalWorker[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-up-"));
  said = [];
  made = [];
});
afterEach(async () => {
  for (const worker of made) {
    void worker.stop();
    void worker.stop();
    await worker.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});

function localWorker(how: string, token = TOKEN): LocalWorker {
  const worker = new LocalWorker({
    command: [process.execPath, STAND_IN, how, folder],
    env: { PATH: process.env.PATH, SIGNALBOX_ADMIN_TOKEN: "secret", DATABASE_URL: "postgres://x" },
    token,
    data: folder,
    say: (text) => said.push(text),
    restartMs: 20,
  });
  made.push(worker);
  return worker;
}

function starts(): Start[] {
  try {
    const lines = readFileSync(join(folder, "starts"), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

async function started(count = 1): Promise<Start[]> {
  await eventually(() => starts().length >= count, `${count} starts`);
  return starts();
}

describe("the worker of up", () => {
  test("gets its token where nobody else can read it, and no other secret", async () => {
    localWorker("obey").start();
    const [start] = await started();
    assert.equal(start?.token, TOKEN);
    assert.ok(!JSON.stringify([start?.env, start?.args]).includes(TOKEN));
    assert.deepEqual(
      Object.keys(start?.env ?? {}).filter((name) => /TOKEN|DATABASE/.test(name)),
      [],
    );
    const environ = readFileSync(`/proc/${start?.pid}/environ`, "utf8");
    const commandLine = readFileSync(`/proc/${start?.pid}/cmdline`, "utf8");
    assert.ok(!`${environ}${commandLine}`.includes(TOKEN));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("handoff")),
      [],
    );
    assert.ok(!readFileSync(join(folder, "started_with"), "utf8").includes(TOKEN));
  });

  test("is started again when it dies, and told of", async () => {
    const worker = localWorker("obey");
    worker.start();
    const [first] = await started();
    process.kill(first!.pid, "SIGKILL");
    const [, second] = await started(2);
    assert.notEqual(second?.pid, first?.pid);
    assert.match(said[0] ?? "", /ended \(killed\) and is started again/);
    await worker.stop();
    assert.ok(!isRunning(second!.pid));
  });

  test("is not started in a frenzy when it cannot live", async () => {
    localWorker("crash").start();
    await started(3);
    const before = performance.now();
    await started(5);
    // 20 ms doubled each time: the fourth and fifth start are 160 and 320 ms away.
    assert.ok(performance.now() - before > 200);
  });

  test("is quoted with its last words when it cannot live", async () => {
    localWorker("crash").start();
    await eventually(() => said.some((text) => /worker\.log: I cannot live$/.test(text)), "said");
  });

  test("stays away where somebody drained it", async () => {
    const worker = localWorker("drained");
    worker.start();
    await eventually(() => said.some((text) => /was drained/.test(text)), "it is told");
    await worker.stop();
    assert.equal(starts().length, 1);
  });

  test("is asked once to finish, twice to give back, three times no more", async () => {
    const busy = localWorker("busy");
    busy.start();
    const [start] = await started();
    const gone = busy.stop();
    await eventually(() => readFileSync(join(folder, "asked"), "utf8") === "1\n", "asked once");
    assert.ok(isRunning(start!.pid));
    void busy.stop();
    await gone;
    assert.ok(!isRunning(start!.pid));

    rmSync(join(folder, "starts"));
    const deaf = localWorker("deaf");
    deaf.start();
    const [other] = await started();
    void deaf.stop();
    void deaf.stop();
    await deaf.stop();
    assert.ok(!isRunning(other!.pid));
  });

  test("gives back what it runs when it is asked twice at once", async () => {
    const worker = localWorker("busy");
    worker.start();
    const [start] = await started();
    void worker.stop();
    await worker.stop();
    assert.ok(!isRunning(start!.pid));
    assert.equal(readFileSync(join(folder, "asked"), "utf8").split("\n").at(-2), "2");
  });

  test("that outlived an up is taken over, not doubled, and stopped with the new one", async () => {
    localWorker("obey").start();
    const [first] = await started();
    const second = localWorker("obey");
    second.start();
    await eventually(() => second.pid === first?.pid, "it is taken over");
    await second.stop();
    assert.ok(!isRunning(first!.pid));
    assert.equal(starts().length, 1);
  });

  test("that outlived an up with other settings has to go first", async () => {
    localWorker("busy").start();
    const [first] = await started();
    const second = localWorker("busy", "another-token-0123456789012345678901234567");
    second.start();
    await eventually(() => starts().some((start) => start.token.startsWith("another")), "replaced");
    assert.ok(!isRunning(first!.pid));
    assert.match(said.join(" "), /other settings/);
  });
});
