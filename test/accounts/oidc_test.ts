/** Signing in at a real OpenID Connect provider. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type OidcProvider, oidcProvider } from "../support/accounts/oidc_provider.ts";
import { ADMIN, ask, cookieIn, OWN } from "../support/accounts/people.ts";
import { TOKEN } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";
import { startBrowser, visit } from "../support/browser.ts";

const HOME = "http://board";

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

async function start(next = "/board/live") {
  const answer = await box.fetch(ask("/sign-in/oidc", OWN, { next }));
  const address = answer.headers.get("refresh")?.replace("0; url=", "") ?? "";
  return { answer, cookie: cookieIn(answer), address };
}

async function signIn(login: string) {
  const { cookie, address } = await start();
  const back = new URL(await provider.signIn(address, login));
  return await box.fetch(ask(back.pathname + back.search, { cookie }));
}

test("the form names the provider", async () => {
  const page = await (await box.fetch(ask("/sign-in", { accept: "text/html" }))).text();
  assert.match(page, /Sign in with Example/);
});

test("a browser follows the form to the provider, which is another site", async () => {
  const base = await box.serve();
  const browser = await startBrowser();
  try {
    const { page } = await visit(browser);
    await page.goto(`${base}/sign-in`);
    await page.click("text=Sign in with Example");
    await page.waitForURL((url) => url.href.startsWith(provider.issuer), { timeout: 15_000 });
  } finally {
    await browser.close();
  }
});

test("whoever the provider knows comes in, as a person without rights, and lands where they were going", async () => {
  const entered = await signIn("grace");
  assert.equal(entered.status, 303);
  assert.equal(entered.headers.get("location"), "/board/live");
  const cookie = cookieIn(entered);
  const account = await box.fetch(ask("/board/account", { cookie, accept: "text/html" }));
  const page = await account.text();
  assert.match(page, /grace of the provider/);
  assert.match(page, /in no organization yet/);
  assert.equal((await box.fetch(ask("/board/people", { cookie }))).status, 403);
});

test("a second time it is the same person", async () => {
  await signIn("grace");
  const people = await box.authentication.people.list({ after: "", limit: 100 });
  assert.equal(people.filter((one) => one.email === "grace@example.org").length, 1);
});

async function created(email: string) {
  const { reads } = box.database;
  return await reads`
    select actor, person_id, token_id, address, object_kind, object_id, org_id, after from audit_log
    where action = 'person.create' and after->>'email' = ${email}`;
}

test("the audit log keeps whom a provider brought, once", async () => {
  await signIn("hedy");
  await signIn("hedy");
  const people = await box.authentication.people.list({ after: "", limit: 100 });
  const { id } = people.find((one) => one.email === "hedy@example.org")!;
  const name = "hedy of the provider";
  const after = { name, email: "hedy@example.org", is_superuser: false, provider: "Example" };
  const who = { actor: name, person_id: id, token_id: null, address: "127.0.0.1" };
  const what = { object_kind: "person", object_id: id, org_id: null, after };
  assert.deepEqual([...(await created("hedy@example.org"))], [{ ...who, ...what }]);
});

test("nobody is brought without a row, and no row is left of whom could not be made", async () => {
  const { intake, reads } = box.database;
  await intake`
    alter table audit_log add constraint no_row_of_eve
    check (after->>'email' is distinct from 'eve@example.org') not valid`;
  await intake`
    alter table person_account add constraint no_account_of_mallory
    check (account_id <> 'mallory') not valid`;
  for (const login of ["eve", "mallory"]) {
    const email = `${login}@example.org`;
    const entered = await signIn(login);
    assert.match(entered.headers.get("location")!, /^\/sign-in\?error=/, login);
    assert.deepEqual([...(await reads`select 1 from person where email = ${email}`)], [], login);
    assert.deepEqual([...(await created(email))], [], login);
  }
  await intake`alter table audit_log drop constraint no_row_of_eve`;
  assert.equal((await signIn("eve")).headers.get("location"), "/board/live");
  assert.equal((await created("eve@example.org")).length, 1);
});

test("many who come at once are all let in", async () => {
  const logins = Array.from({ length: 6 }, (_, i) => `guest${i}`);
  const entered = await Promise.all(logins.map(signIn));
  for (const { headers } of entered) assert.equal(headers.get("location"), "/board/live");
  for (const login of logins) assert.equal((await created(`${login}@example.org`)).length, 1);
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
  const stolen = await box.fetch(ask(back.pathname + back.search, {}));
  assert.match(stolen.headers.get("location")!, /^\/sign-in\?error=/);
  assert.ok(!stolen.headers.getSetCookie().some((cookie) => /session_token=[^;]/.test(cookie)));
});

test("only a page of ours starts a sign-in, and it leads to no other site", async () => {
  const foreign = await box.fetch(
    ask("/sign-in/oidc", { "sec-fetch-site": "cross-site" }, { next: "/board" }),
  );
  assert.deepEqual([foreign.headers.get("location"), foreign.headers.get("refresh")], [null, null]);
  const { cookie, address } = await start("https://evil.example/board");
  const back = new URL(await provider.signIn(address, "grace"));
  const entered = await box.fetch(ask(back.pathname + back.search, { cookie }));
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
    assert.equal((await box.fetch(ask(path, headers))).status, 404, path);
  }
});
