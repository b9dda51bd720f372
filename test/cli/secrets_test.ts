import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { keepSecrets } from "../../src/cli/secrets.ts";
import { writeClientFile } from "../../src/cli/up/client_file.ts";
import { parseConfig } from "../../src/config.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe("a server's tokens", () => {
  test("are made once, long, each another, and readable by nobody else", () => {
    const env = { SIGNALBOX_DATA: join(folder, "data") };
    const first = keepSecrets(parseConfig(env));
    const tokens = [first.adminToken, first.workerToken, first.metricsToken];
    assert.equal(new Set(tokens).size, 3);
    for (const token of tokens) assert.match(token, /^[\w-]{43}$/);
    assert.deepEqual(keepSecrets(parseConfig(env)), first);
    const secrets = join(folder, "data/secrets");
    assert.equal(modeOf(join(folder, "data")), 0o700);
    assert.equal(modeOf(secrets), 0o700);
    for (const file of readdirSync(secrets)) assert.equal(modeOf(join(secrets, file)), 0o600);
  });

  test("of the environment are used and not written down", () => {
    const given = "g".repeat(40);
    const env = { SIGNALBOX_DATA: folder, SIGNALBOX_ADMIN_TOKEN: given };
    assert.equal(keepSecrets(parseConfig(env)).adminToken, given);
    assert.deepEqual(readdirSync(join(folder, "secrets")).sort(), [
      "metrics_token",
      "worker_token",
    ]);
  });

  test("that a killed start left empty are made again", () => {
    const secrets = join(folder, "secrets");
    mkdirSync(secrets);
    writeFileSync(join(secrets, "admin_token"), "", { mode: 0o644 });
    const config = keepSecrets(parseConfig({ SIGNALBOX_DATA: folder }));
    assert.match(config.adminToken, /^[\w-]{43}$/);
    assert.equal(modeOf(join(secrets, "admin_token")), 0o600);
  });

  test("that cannot be kept stop the start with a sentence", () => {
    writeFileSync(join(folder, "file"), "");
    const config = parseConfig({ SIGNALBOX_DATA: join(folder, "file/below") });
    assert.throws(() => keepSecrets(config), /cannot be used \(ENOTDIR\).*SIGNALBOX_DATA/);
  });

  test("client.json replaces the one before and is closed to others", () => {
    const content = { url: "http://127.0.0.1:1", token: "t", org: "default" };
    const path = writeClientFile(folder, content);
    writeFileSync(path, "old", { mode: 0o644 });
    assert.equal(writeClientFile(folder, content), path);
    assert.equal(modeOf(path), 0o600);
    assert.deepEqual(readdirSync(folder), ["client.json"]);
  });
});
