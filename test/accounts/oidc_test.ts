/** Signing in at a real OpenID Connect provider. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type OidcProvider, oidcProvider } from "../support/accounts/oidc_provider.ts";
import { TOKEN } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";

const HOME = "http://board";
const OWN = { "sec-fetch-site": "same-origin" };
const ADMIN = { name: "admin", user: null, token: null, address: null };

let provider: OidcProvider;
let box: BoardBox;
before(async () => {
  provider = await oidcProvider(`${HOME}/auth/callback/oidc`, (login) => ({
    email: `${login}@example.org`,
    email_verified: login !== "unverified",
    name: `${login} of the provider`,
  }));
  const { issuer, clientId, clientSecret } = provider;
  const oidc = { issuer, clientId, clientSecret, name: "Example" };
  box = await boardBox({ accounts: { publicUrl: HOME, oidc } });
});
after(async () => {
  await box.close();
  await provider.stop();
});

function request(path: string, headers: Record<string, string>, form?: Record<string, string>) {
  const init = form ? { method: "POST", body: new URLSearchParams(form) } : {};
  return new Request(`${HOME}${path}`, { headers, redirect: "manual", ...init });
}

function cookieIn(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

async function start(next = "/board/live") {
  const answer = await box.fetch(request("/sign-in/oidc", OWN, { next }));
  return { answer, cookie: cookieIn(answer), address: answer.headers.get("location")! };
}

async function signIn(login: string) {
  const { cookie, address } = await start();
  const back = new URL(await provider.signIn(address, login));
  return await box.fetch(request(back.pathname + back.search, { cookie }));
}

test("the form names the provider", async () => {
  const page = await (await box.fetch(request("/sign-in", { accept: "text/html" }))).text();
  assert.match(page, /Sign in with Example/);
});

test("whoever the provider knows comes in, as a person without rights, and lands where they were going", async () => {
  const entered = await signIn("grace");
  assert.equal(entered.status, 303);
  assert.equal(entered.headers.get("location"), "/board/live");
  const cookie = cookieIn(entered);
  const account = await box.fetch(request("/board/account", { cookie, accept: "text/html" }));
  const page = await account.text();
  assert.match(page, /grace of the provider/);
  assert.match(page, /in no organization yet/);
  assert.equal((await box.fetch(request("/board/people", { cookie }))).status, 403);
});

test("a second time it is the same person", async () => {
  await signIn("grace");
  const people = await box.authentication.people.list({ after: "", limit: 100 });
  assert.equal(people.filter((one) => one.email === "grace@example.org").length, 1);
});

test("an address that the provider has not verified opens nobody's account", async () => {
  const input = { name: "Owner", email: "unverified@example.org", password: "correct horse" };
  const owner = await box.authentication.people.create({ ...input, isSuperuser: true }, ADMIN);
  const entered = await signIn("unverified");
  assert.match(entered.headers.get("location")!, /^\/sign-in\?error=\w+/);
  assert.deepEqual(await box.authentication.browsers.list(owner.id), []);
});

test("an account that a superuser made is opened by a verified address, and by the provider alone", async () => {
  const input = { name: "Known", email: "known@example.org", password: null, isSuperuser: false };
  const known = await box.authentication.people.create(input, ADMIN);
  const entered = await signIn("known");
  assert.equal(entered.headers.get("location"), "/board/live");
  assert.equal((await box.authentication.browsers.list(known.id)).length, 1);
});

test("an address that somebody gave themselves by an invitation is joined to no provider", async () => {
  const org = { id: 1, name: "default" };
  const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
  const wanted = { role: "viewer" as const, email: null };
  const { secret } = await box.accounts.invitations.create(org, wanted, by);
  const self = { name: "Thief", email: "boss@example.org", password: "correct horse" };
  const thief = await box.accounts.invitations.acceptAsNew(secret, self, ADMIN);
  const entered = await signIn("boss");
  assert.match(entered.headers.get("location")!, /^\/sign-in\?error=/);
  assert.deepEqual(await box.authentication.browsers.list(thief.id), []);
});

test("an answer without the browser that asked is refused", async () => {
  const { address } = await start();
  const back = new URL(await provider.signIn(address, "grace"));
  const stolen = await box.fetch(request(back.pathname + back.search, {}));
  assert.match(stolen.headers.get("location")!, /^\/sign-in\?error=/);
  assert.ok(!stolen.headers.getSetCookie().some((cookie) => /session_token=[^;]/.test(cookie)));
});

test("only a page of ours starts a sign-in, and it leads to no other site", async () => {
  const foreign = await box.fetch(
    request("/sign-in/oidc", { "sec-fetch-site": "cross-site" }, { next: "/board" }),
  );
  assert.equal(foreign.headers.get("location"), null);
  const { cookie, address } = await start("https://evil.example/board");
  const back = new URL(await provider.signIn(address, "grace"));
  const entered = await box.fetch(request(back.pathname + back.search, { cookie }));
  assert.equal(entered.headers.get("location"), "/board");
});

test("no other path of the library is open", async () => {
  for (const path of [
    "/auth/sign-up/email",
    "/auth/sign-in/email",
    "/auth/get-session",
    "/auth/ok",
  ]) {
    const headers = {
      ...OWN,
      authorization: `Bearer ${TOKEN}`,
      "content-type": "application/json",
    };
    const post = new Request(HOME + path, { method: "POST", headers, body: "{}" });
    assert.equal((await box.fetch(post)).status, 404, path);
    assert.equal((await box.fetch(request(path, headers))).status, 404, path);
  }
});
