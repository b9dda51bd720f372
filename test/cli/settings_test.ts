import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { keptWorkerToken } from "../../src/cli/kept_worker_token.ts";
import { findSettings, lookUpClientFile } from "../../src/cli/settings.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signalbox-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const URL_HERE = "http://127.0.0.1:4600";

function writeClient(data: string, content: unknown): string {
  mkdirSync(data, { recursive: true });
  const path = join(data, "client.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("where the server is and who asks", () => {
  test("client.json says all, also from a folder below", () => {
    const path = writeClient(join(folder, ".signalbox"), {
      url: URL_HERE,
      token: "kept",
      org: "acme",
    });
    const below = join(folder, "a/b");
    mkdirSync(below, { recursive: true });
    const found = findSettings({}, {}, below);
    assert.deepEqual(found, {
      url: URL_HERE,
      token: "kept",
      org: "acme",
      source: { url: path, token: path },
    });
  });

  test("the nearest client.json wins, and SIGNALBOX_DATA over all", () => {
    writeClient(join(folder, ".signalbox"), { url: URL_HERE, token: "far", org: "default" });
    const near = join(folder, "near");
    writeClient(join(near, ".signalbox"), { url: URL_HERE, token: "near", org: "default" });
    writeClient(join(folder, "named"), { url: URL_HERE, token: "named", org: "default" });
    assert.equal(findSettings({}, {}, near).token, "near");
    const env = { SIGNALBOX_DATA: join(folder, "named") };
    assert.equal(findSettings({}, env, near).token, "named");
    assert.equal(lookUpClientFile({ SIGNALBOX_DATA: join(folder, "empty") }, near), undefined);
  });

  test("flags win over the environment, that over client.json", () => {
    writeClient(join(folder, ".signalbox"), { url: URL_HERE, token: "kept", org: "kept" });
    const file = join(folder, "token");
    writeFileSync(file, "  from-file \nsecond line\n");
    const env = { SIGNALBOX_URL: "http://env", SIGNALBOX_TOKEN: "env", SIGNALBOX_ORG: "env" };
    const { url, token, org } = findSettings({}, env, folder);
    assert.deepEqual([url, token, org], ["http://env", "env", "env"]);
    const flags = { url: "http://flag", org: "flag", tokenFile: file };
    const flagged = findSettings(flags, env, folder);
    assert.deepEqual(
      [flagged.url, flagged.token, flagged.org],
      ["http://flag", "from-file", "flag"],
    );
  });

  test("a kept token is never sent to another server", () => {
    writeClient(join(folder, ".signalbox"), { url: URL_HERE, token: "kept", org: "default" });
    const env = { SIGNALBOX_URL: "http://elsewhere.example" };
    assert.throws(
      () => findSettings({}, env, folder),
      /No token for http:\/\/elsewhere.*belongs to/,
    );
    assert.equal(findSettings({ url: `${URL_HERE}/` }, {}, folder).token, "kept");
  });

  test("what is missing is said with what to set", () => {
    assert.throws(() => findSettings({}, {}, folder), /signalbox up.*SIGNALBOX_URL/);
    assert.throws(() => findSettings({}, { SIGNALBOX_URL: URL_HERE }, folder), /SIGNALBOX_TOKEN/);
    const empty = join(folder, "empty");
    writeFileSync(empty, "\n");
    const flags = { url: URL_HERE, tokenFile: empty };
    assert.throws(() => findSettings(flags, {}, folder), /is empty/);
    assert.throws(() => findSettings({ ...flags, tokenFile: "/no/such" }, {}, folder), /ENOENT/);
    const org = { SIGNALBOX_URL: URL_HERE, SIGNALBOX_TOKEN: "t", SIGNALBOX_ORG: "No!" };
    assert.throws(() => findSettings({}, org, folder), /no organization/);
  });

  test("a damaged client.json is told, not guessed at", () => {
    for (const broken of ["", "{", "[]", '{"url":1}', '{"url":"http://x","token":""}']) {
      writeClient(join(folder, ".signalbox"), broken);
      assert.throws(() => findSettings({}, {}, folder), /damaged/, broken);
    }
  });

  test("another user's client.json is no trap for who works below it", () => {
    if (process.getuid?.() !== 0) return;
    const path = writeClient(join(folder, ".signalbox"), { url: URL_HERE, token: "t", org: "a" });
    chownSync(path, 65_534, 65_534);
    chmodSync(path, 0o644);
    assert.throws(() => findSettings({}, {}, folder), /belongs to another user.*SIGNALBOX_DATA=/);
    assert.equal(findSettings({}, { SIGNALBOX_DATA: join(folder, ".signalbox") }, "/").token, "t");
  });
});

describe("the worker token that is kept beside client.json", () => {
  test("serves a worker of the same server only", () => {
    const data = join(folder, ".signalbox");
    writeClient(data, { url: URL_HERE, token: "t", org: "default" });
    mkdirSync(join(data, "secrets"));
    writeFileSync(join(data, "secrets/worker_token"), "for workers\n");
    assert.equal(keptWorkerToken("ws://127.0.0.1:4600", {}, folder), "for workers");
    assert.equal(keptWorkerToken("ws://127.0.0.1:4600/worker/v1", {}, folder), "for workers");
    assert.equal(keptWorkerToken("ws://127.0.0.1:4601", {}, folder), undefined);
    assert.equal(keptWorkerToken("nonsense", {}, folder), undefined);
    const env = { SIGNALBOX_WORKER_TOKEN: "given" };
    assert.equal(keptWorkerToken("ws://127.0.0.1:4600", env, folder), undefined);
  });
});
