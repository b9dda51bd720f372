import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { checkDatabase } from "../../../src/cli/doctor/database.ts";
import {
  checkDataFolder,
  checkRuntime,
  checkSettings,
  isOlder,
} from "../../../src/cli/doctor/machine.ts";
import { checkPort, checkServer } from "../../../src/cli/doctor/server.ts";
import { parseConfig } from "../../../src/config.ts";
import { dropPartitionsBefore, ensurePartitionsFor } from "../../../src/db/partitions.ts";
import { openUpkeep } from "../../../src/db/upkeep.ts";
import { json, problem, type ScriptedApi, scriptedApi } from "../../sdk/scripted_api.ts";
import { emptyDatabase, testDatabase } from "../../support/database.ts";

const DAY = 86_400_000;
let folder: string;
let api: ScriptedApi;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-doctor-"));
  api = await scriptedApi();
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

const settings = () => ({
  url: api.url,
  token: "t",
  org: "default",
  source: { url: "SIGNALBOX_URL", token: "SIGNALBOX_TOKEN" },
});

describe("the doctor of a machine", () => {
  test("knows which runtimes are too old", () => {
    const runtime = (name: "bun" | "deno", version: string) =>
      checkRuntime({ runtime: { name, version } } as Parameters<typeof checkRuntime>[0]).verdict;
    assert.equal(runtime("bun", "1.4.5"), "ok");
    assert.equal(runtime("bun", "1.2.99"), "fail");
    assert.equal(runtime("deno", "2.9.6"), "ok");
    assert.ok(isOlder("1.9.9", "1.10.0") && !isOlder("2.0.0-beta.1", "2.0.0"));
  });

  test("says every setting that is wrong", () => {
    const env = { SIGNALBOX_PORT: "x", SIGNALBOX_LEASE_SECONDS: "-1", SIGNALBOX_DATA: folder };
    const { config, finding } = checkSettings({ env });
    assert.equal(config, undefined);
    assert.match(finding.found, /SIGNALBOX_PORT.*SIGNALBOX_LEASE_SECONDS/);
  });

  test("wants the data folder closed, usable and its secrets private", () => {
    const data = join(folder, "data");
    assert.match(checkDataFolder(data).found, /not there yet/);
    mkdirSync(data, { mode: 0o700 });
    assert.notEqual(checkDataFolder(data).verdict, "fail");
    chmodSync(data, 0o710);
    assert.notEqual(checkDataFolder(data).verdict, "fail");
    chmodSync(data, 0o755);
    assert.equal(checkDataFolder(data).mend, `Close it: chmod 700 ${data}`);
    chmodSync(data, 0o700);
    writeFileSync(join(data, "client.json"), "{}", { mode: 0o644 });
    assert.match(checkDataFolder(data).mend ?? "", /chmod 600 .*client\.json/);
    rmSync(join(data, "client.json"));
    mkdirSync(join(data, "secrets"));
    writeFileSync(join(data, "secrets/admin_token"), "x", { mode: 0o640 });
    assert.match(checkDataFolder(data).mend ?? "", /admin_token/);
    writeFileSync(join(folder, "file"), "");
    assert.match(checkDataFolder(join(folder, "file")).found, /is no folder/);
    symlinkSync("loop", join(folder, "loop"));
    assert.match(checkDataFolder(join(folder, "loop")).found, /ELOOP/);
  });
});

describe("the doctor of a port", () => {
  let taken: Server;
  beforeEach(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => new Promise<void>((resolve) => void taken.close(() => resolve())));

  test("tells a taken one from a free one and from its own", async () => {
    const { port } = taken.address() as { port: number };
    const config = parseConfig({ SIGNALBOX_PORT: String(port), SIGNALBOX_DATA: folder });
    assert.match((await checkPort(config, undefined)).found, /in use by another program/);
    assert.equal((await checkPort(config, "http://127.0.0.1:1")).verdict, "ok");
    const any = parseConfig({ SIGNALBOX_PORT: "0", SIGNALBOX_DATA: folder });
    assert.equal((await checkPort(any, undefined)).verdict, "ok");
    const elsewhere = parseConfig({ SIGNALBOX_HOST: "192.0.2.1", SIGNALBOX_DATA: folder });
    assert.match((await checkPort(elsewhere, undefined)).found, /cannot be listened on/);
  });
});

describe("the doctor of a database", () => {
  const configOf = (url: string) => parseConfig({ DATABASE_URL: url, SIGNALBOX_DATA: folder });
  const verdicts = async (url: string) =>
    (await checkDatabase(configOf(url), true)).map(({ name, verdict }) => `${name} ${verdict}`);

  test("finds what is right, what is missing, and what cannot be reached", async () => {
    const [good, empty] = await Promise.all([testDatabase(), emptyDatabase()]);
    try {
      const fine = ["database ok", "migrations ok", "partitions ok", "retention ok"];
      assert.deepEqual(await verdicts(good.url), fine);
      assert.deepEqual(await verdicts(empty.url), ["database ok", "migrations fail"]);
      const url = new URL(good.url);
      url.pathname = "/no_such_database";
      const [missing] = await checkDatabase(configOf(url.href), true);
      assert.match(missing?.mend ?? "", /Create that database/);
      url.password = "wrong";
      const [refused] = await checkDatabase(configOf(url.href), true);
      assert.match(refused?.mend ?? "", /user and password/);
      assert.ok(!JSON.stringify(refused).includes("wrong"));
    } finally {
      await Promise.all([good.drop(), empty.drop()]);
    }
    const [away] = await checkDatabase(configOf("postgres://a:b@127.0.0.1:9/x"), true);
    assert.match(`${away?.found} ${away?.mend}`, /cannot be reached.*Start the database/);
  });

  test("says where retention is behind, and what keeps it", async () => {
    const { url, drop } = await testDatabase();
    const sql = openUpkeep(url);
    const now = Date.now();
    const found = async () =>
      (await checkDatabase(configOf(url), true)).find(({ name }) => name === "retention")!;
    try {
      await ensurePartitionsFor(sql, "phase_event", [now - 20 * DAY]);
      await ensurePartitionsFor(sql, "job", [now - 200 * DAY]);
      const behind = await found();
      assert.equal(behind.verdict, "warn");
      assert.match(behind.found, /phase_event \([56] days too long\), job \(1\d\d days too long\)/);
      assert.match(behind.mend ?? "", /Rollups have not read it/);
      await sql`insert into live_job (id, org_id, queue_id, name_id, shape_id, counted_name, state,
          waiting_for, priority, max_attempts, queued_at)
        values (${uuidv7({ msecs: now - 200 * DAY })}, 1, 1, 1, 1, 1, 'queued', 'run_at', 0, 1, now())`;
      assert.ok(!(await found()).found.includes("job ("), "a job that lives keeps its day");
      await dropPartitionsBefore(sql, "phase_event", now - 14 * DAY);
      assert.equal((await found()).verdict, "ok");
    } finally {
      await sql.end({ timeout: 1 });
      await drop();
    }
  });

  test("has nothing against one that was never made or rests", async () => {
    const config = parseConfig({ SIGNALBOX_DATA: folder });
    assert.equal((await checkDatabase(config, false))[0]?.verdict, "skip");
  });
});

describe("the doctor of a server", () => {
  const ready = json(200, { ready: true, checks: [] });
  const workers = (...items: object[]) => json(200, { items, next_cursor: null });
  const worker = { state: "ready", slots: 4, used: 1 };
  const look = async () => {
    const { findings } = await checkServer(settings());
    return Object.fromEntries(findings.map((finding) => [finding.name, finding]));
  };

  test("is content with one that is ready, lets us in and has workers", async () => {
    api.script(ready, workers(worker, { ...worker, state: "lost" }));
    const found = await look();
    for (const name of ["server", "token", "workers", "clock"]) {
      assert.equal(found[name]?.verdict, "ok", JSON.stringify(found[name]));
    }
    assert.match(found.workers?.found ?? "", /1 worker, 1 of 4 slots in use/);
  });

  test("says which of the server's own checks failed", async () => {
    const checks = [
      { name: "database", ok: true, detail: null },
      { name: "partitions", ok: false, detail: "Partitions for tomorrow are missing." },
    ];
    api.script(json(503, { ready: false, checks }), workers(worker));
    const found = await look();
    assert.match(found.server?.found ?? "", /not ready\. partitions: Partitions for tomorrow/);
  });

  test("tells a wrong token, a wrong organization and missing workers apart", async () => {
    api.script(ready, problem(401, { detail: "No." }));
    assert.match((await look()).token?.mend ?? "", /SIGNALBOX_TOKEN/);
    api.script(ready, problem(404, { detail: "No." }));
    assert.match((await look()).token?.found ?? "", /no organization default/);
    api.script(ready, workers({ ...worker, state: "draining" }));
    const found = await look();
    assert.equal(found.workers?.verdict, "fail");
    assert.match(found.workers?.found ?? "", /draining or lost/);
  });

  test("sees a clock that is wrong", async () => {
    const date = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();
    api.script(ready, workers(worker), json(200, {}, { date: date(-20) }));
    assert.equal((await look()).clock?.verdict, "warn");
    api.script(ready, workers(worker), json(200, {}, { date: date(3_700) }));
    assert.match((await look()).clock?.found ?? "", /differ by 1 h/);
  });

  test("tells something else on that port from nothing", async () => {
    api.script((_request, response) => response.end("<html>"));
    assert.match((await look()).server?.mend ?? "", /Something else listens there/);
    await api.close();
    assert.match((await look()).server?.mend ?? "", /signalbox up/);
    api = await scriptedApi();
  });
});
