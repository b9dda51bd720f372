/** `signalbox user` against a real server: the account that it makes signs in. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { ADMIN_TOKEN, TestSystem } from "../support/system.ts";
import { runCli } from "./run_cli.ts";

let database: TestDatabase;
let system: TestSystem;

before(async () => {
  database = await testDatabase();
  system = await TestSystem.create({ databaseUrl: database.url });
  await system.server();
});
after(async () => {
  await system?.stop();
  await database?.drop();
});

const run = (...args: string[]) => {
  const env = { SIGNALBOX_URL: system.client.url, SIGNALBOX_TOKEN: ADMIN_TOKEN };
  return runCli(["user", ...args], { cwd: system.folder, env });
};

async function signIn(email: string, password: string): Promise<Response> {
  const url = system.client.url;
  const headers = { "sec-fetch-site": "same-origin" };
  const body = new URLSearchParams({ email, password });
  return fetch(`${url}/sign-in`, { method: "POST", headers, body, redirect: "manual" });
}

test("an account is made, signs in with the password that is printed, and has its role", async () => {
  const made = await run("create", "--email", "ada@example.org", "--role", "operator");
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /Made an account for ada <ada@example\.org>, operator of default/);
  const password = made.stdout.trim();
  assert.equal(password.length, 20);
  assert.ok(!made.stderr.includes(password));
  const entered = await signIn("ada@example.org", password);
  assert.equal(entered.status, 303);
  const cookie = entered.headers.getSetCookie()[0]!.split(";")[0]!;
  const me = await fetch(`${system.client.url}/api/v1/me`, { headers: { cookie } });
  const { roles } = (await me.json()) as { roles: Record<string, string> };
  assert.deepEqual(JSON.stringify(roles).includes("operator"), true);
});

test("everybody with an account is listed", async () => {
  await run("create", "--email", "chief@example.org", "--name", "Chief", "--superuser");
  const list = await run("list");
  assert.match(list.stdout, /Chief +chief@example\.org +superuser/);
});

test("an address that has an account is refused, with a sentence", async () => {
  await run("create", "--email", "twice@example.org");
  const again = await run("create", "--email", "twice@example.org");
  assert.equal(again.code, 1);
  assert.match(again.stderr, /twice@example\.org has an account/);
  assert.equal(again.stdout, "");
});

test("what is no address is refused before anything is made", async () => {
  const wrong = await run("create", "--email", "nobody");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Write an address such as/);
  assert.equal((await run("create")).code, 2);
});
