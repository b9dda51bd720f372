import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AccessService, type AdminCredential } from "../../src/accounts/access.ts";
import { attemptLimit } from "../../src/accounts/attempt_limit.ts";
import { TokenDoor } from "../../src/accounts/token_door.ts";
import { Watchers } from "../../src/accounts/watchers.ts";
import type { ApiTokenRow } from "../../src/db/statements/api_tokens.ts";
import { createAuth, LINK_MS, SESSION_MS } from "../../src/web/auth.ts";
import { safePath } from "../../src/web/sign_in.ts";

const TOKEN = "admin-token-0123456789abcdef0123456789abcdef";

/** Who is let in, where the admin token is all there is; a stranger is nobody. */
function callerOf(admin: AdminCredential, now = () => 0) {
  const access = new AccessService({
    admin,
    metricsToken: undefined,
    sessions: { of: async () => null },
    directory: { open: [] },
    directoryFresh: async () => {},
    door: new TokenDoor<ApiTokenRow>({ kind: "api", now, read: async () => undefined }),
    person: async () => null,
    watchers: new Watchers(now),
    used: () => {},
  });
  return async (request: Request) => {
    const caller = await access.authenticate(request);
    return caller?.via === "nobody" ? null : caller;
  };
}

function setup() {
  const clock = { now: 1_000_000 };
  const auth = createAuth({ adminToken: TOKEN, now: () => clock.now });
  const authenticate = callerOf(auth, () => clock.now);
  const cookie = () => auth.openSession(false).split(";")[0]!;
  return { clock, auth, authenticate, cookie };
}

function request(headers: Record<string, string>, method = "GET"): Request {
  return new Request("http://board.example/board", { method, headers });
}

describe("a credential", () => {
  test("is the admin token as a bearer", async () => {
    const { authenticate } = setup();
    const caller = await authenticate(request({ authorization: `Bearer ${TOKEN}` }));
    assert.equal(caller?.author.name, "admin");
    assert.equal(caller?.scope.isSuperuser, true);
    assert.equal(caller?.via, "token");
    for (const header of [
      "",
      "Bearer",
      "Bearer x",
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
      TOKEN,
      `Bearer ${TOKEN} ${TOKEN}`,
    ]) {
      assert.equal(await authenticate(request({ authorization: header })), null, header);
    }
  });

  test("is a cookie that we signed, until it expires", async () => {
    const { authenticate, clock, cookie } = setup();
    const value = cookie();
    assert.equal((await authenticate(request({ cookie: value })))?.via, "cookie");
    assert.equal(
      (await authenticate(request({ cookie: `a=b; ${value}; c=d` })))?.author.name,
      "admin",
    );
    clock.now += SESSION_MS - 1;
    assert.ok(await authenticate(request({ cookie: value })));
    clock.now += 1;
    assert.equal(await authenticate(request({ cookie: value })), null);
  });

  test("is no cookie that somebody changed in any place", async () => {
    const { authenticate, cookie } = setup();
    const value = cookie();
    for (let at = value.indexOf("=") + 1; at < value.length; at++) {
      const other = value[at] === "0" ? "1" : "0";
      const forged = value.slice(0, at) + other + value.slice(at + 1);
      assert.equal(await authenticate(request({ cookie: forged })), null, forged);
    }
    for (const forged of [
      `${value}.x`,
      value.replaceAll(".", ""),
      "signalbox_session=1.9e99.a.b",
    ]) {
      assert.equal(await authenticate(request({ cookie: forged })), null, forged);
    }
  });

  test("ends with the token it was signed under, and holds on every replica", async () => {
    const { cookie } = setup();
    const value = cookie();
    const replica = createAuth({ adminToken: TOKEN, now: () => 1_000_001 });
    assert.ok(await callerOf(replica)(request({ cookie: value })));
    const changed = createAuth({ adminToken: `${TOKEN}2`, now: () => 1_000_001 });
    assert.equal(await callerOf(changed)(request({ cookie: value })), null);
  });

  test("a wrong bearer is not rescued by a good cookie", async () => {
    const { authenticate, cookie } = setup();
    const both = { cookie: cookie(), authorization: "Bearer wrong" };
    assert.equal(await authenticate(request(both)), null);
  });

  test("a cookie counts for a change only when a page of ours sent it", async () => {
    const { authenticate, cookie } = setup();
    const post = (headers: Record<string, string>) =>
      authenticate(request({ cookie: cookie(), host: "board.example", ...headers }, "POST"));
    assert.ok(await post({ "sec-fetch-site": "same-origin" }));
    assert.ok(await post({ origin: "http://board.example" }));
    const foreign: Record<string, string>[] = [
      {},
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
      { origin: "null" },
      { origin: "http://evil.example" },
      { origin: "http://board.example.evil.example" },
      { origin: "http://board.example:81" },
      { origin: "http://board.example", "sec-fetch-site": "cross-site" },
    ];
    for (const headers of foreign) {
      assert.equal(await post(headers), null, JSON.stringify(headers));
    }
  });

  test("the cookie keeps scripts and other sites away", () => {
    const { auth } = setup();
    assert.match(
      auth.openSession(true),
      /; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure$/,
    );
    assert.doesNotMatch(auth.openSession(false), /Secure/);
    assert.match(auth.closeSession(false), /^signalbox_session=; .*Max-Age=0/);
    assert.ok(!auth.openSession(false).includes(TOKEN));
  });
});

describe("a one-time link", () => {
  const secretOf = (link: string) => new URL(link, "http://x").searchParams.get("link")!;

  test("opens once", () => {
    const { auth } = setup();
    const secret = secretOf(auth.createSignInLink());
    assert.equal(auth.useSignInLink(secret), true);
    assert.equal(auth.useSignInLink(secret), false);
    assert.equal(auth.useSignInLink("guess"), false);
  });

  test("is of no use after its time", () => {
    const { auth, clock } = setup();
    const secret = secretOf(auth.createSignInLink());
    clock.now += LINK_MS;
    assert.equal(auth.useSignInLink(secret), false);
  });

  test("many links do not grow without bound, and the newest work", () => {
    const { auth } = setup();
    const links = Array.from({ length: 300 }, () => secretOf(auth.createSignInLink()));
    assert.equal(auth.useSignInLink(links[0]!), false);
    assert.equal(auth.useSignInLink(links[299]!), true);
  });
});

describe("failed sign-ins", () => {
  test("are counted by peer and forgotten after the window", () => {
    const clock = { now: 0 };
    const limit = attemptLimit({ now: () => clock.now, windowMs: 60_000, each: 3, all: 100 });
    for (let i = 0; i < 3; i++) limit.failed("a");
    assert.equal(limit.waitSeconds("a"), 60);
    assert.equal(limit.waitSeconds("b"), 0);
    clock.now = 59_500;
    assert.equal(limit.waitSeconds("a"), 1);
    clock.now = 60_000;
    assert.equal(limit.waitSeconds("a"), 0);
  });

  test("from many peers together stop everybody for a while", () => {
    const limit = attemptLimit({ now: () => 0, windowMs: 60_000, each: 3, all: 20 });
    for (let i = 0; i < 20; i++) limit.failed(`peer ${i}`);
    assert.equal(limit.waitSeconds("newcomer"), 60);
  });

  test("a success clears the peer", () => {
    const limit = attemptLimit({ now: () => 0, windowMs: 60_000, each: 1, all: 100 });
    limit.failed("a");
    limit.succeeded("a");
    assert.equal(limit.waitSeconds("a"), 0);
  });
});

test("after signing in a reader only ever lands on the board", () => {
  assert.equal(safePath("/board/live?state=running&q=a%20b"), "/board/live?state=running&q=a%20b");
  assert.equal(safePath("/board"), "/board");
  for (const path of [
    undefined,
    "",
    "board",
    "//evil.example/board",
    "/\\evil.example",
    "/board/../../x",
    "/boardroom",
    "https://evil.example/board",
    "javascript:alert(1)",
    "/sign-out",
    "/board\r\nset-cookie: a=b/..//x",
    `/board?${"x".repeat(3_000)}`,
  ]) {
    const to = safePath(path);
    assert.match(to, /^\/board(?:[/?]|$)/, String(path));
    assert.doesNotMatch(to, /[\r\n\\]|^\/\//);
  }
});
