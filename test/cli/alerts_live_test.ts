/** Alerts and silences on the command line, against a server that is played. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { json, type ScriptedApi, scriptedApi } from "../sdk/scripted_api.ts";
import { runCli } from "./run_cli.ts";

const ID = "0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e";
const AT = "2030-01-01T00:00:00.000Z";
const ALERT = {
  ...{
    id: ID,
    org: "default",
    rule: "BackgroundJobFailing",
    severity: "critical",
    job_name: "sync",
  },
  ...{ state: "firing", summary: "Background job sync is failing", description: "9 of 10 failed." },
  ...{ value: 0.9, limit: 0.05, since: AT, fired_at: AT, clear_since: null, silenced: false },
};
const SILENCE = {
  ...{
    id: ID,
    org: "default",
    rule: null,
    job_name: "sync",
    starts_at: AT,
    ends_at: AT,
    active: true,
  },
  ...{ reason: "we know", created_at: AT, created_by: "ann", ended_by: null },
};
let api: ScriptedApi;
beforeEach(async () => {
  api = await scriptedApi();
});
afterEach(() => api.close());

function run(args: string[]) {
  return runCli(args, { env: { SIGNALBOX_URL: api.url, SIGNALBOX_TOKEN: "token-of-a-test" } });
}

describe("signalbox alerts", () => {
  test("lists what fires, with its figures", async () => {
    api.script(json(200, { items: [ALERT] }));
    const { stdout, code } = await run(["alerts"]);
    assert.equal(code, 0);
    assert.match(stdout, /critical\s+firing .*Background job sync is failing\s+9 of 10 failed\./);
  });
});

describe("signalbox silence", () => {
  test("says how long and why, or what is missing", async () => {
    api.script(json(201, SILENCE));
    const made = await run(["silence", "sync", "--for", "2h", "--reason", "we know"]);
    assert.equal(made.code, 0);
    assert.match(made.stdout, /every rule of sync silenced until/);
    const missing = await run(["silence", "sync"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /--for 2h --reason/);
  });
});
