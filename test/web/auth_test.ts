import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attemptLimit } from "../../src/accounts/attempt_limit.ts";
import { createAuth, LINK_MS } from "../../src/web/auth.ts";
import { safePath } from "../../src/web/sign_in.ts";

const TOKEN = "admin-token-0123456789abcdef0123456789abcdef";

function setup() {
  const clock = { now: 1_000_000 };
  const auth = createAuth({ adminToken: TOKEN, now: () => clock.now });
  return { clock, auth };
}

test("the admin token is known by all of its characters", () => {
  const { auth } = setup();
  assert.equal(auth.isAdminToken(TOKEN), true);
  for (const other of ["", "x", `${TOKEN}x`, TOKEN.slice(1), TOKEN.toUpperCase()]) {
    assert.equal(auth.isAdminToken(other), false, other);
  }
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
