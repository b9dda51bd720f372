import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TOKEN } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";

describe("the board", () => {
  let box: BoardBox;
  before(async () => {
    box = await boardBox();
  });
  after(() => box.close());

  const ask = (path: string, init: RequestInit = {}) =>
    box.fetch(new Request(`http://board${path}`, { redirect: "manual", ...init }));
  const html = { accept: "text/html" };
  const own = { "sec-fetch-site": "same-origin" };

  function signIn(fields: Record<string, string>, headers: Record<string, string> = own) {
    return ask("/sign-in", { method: "POST", headers, body: new URLSearchParams(fields) });
  }

  test("every answer forbids what pages do not need", async () => {
    for (const path of ["/sign-in", "/board/live", "/nowhere", "/board/jobs/x", "/robots.txt"]) {
      const response = await box.get(path);
      const policy = response.headers.get("content-security-policy")!;
      assert.match(policy, /default-src 'none'/, path);
      assert.doesNotMatch(policy, /unsafe/, path);
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(response.headers.get("x-frame-options"), "DENY");
    }
  });

  test("pages come compressed to browsers that take it, streams never", async () => {
    const headers = { "accept-encoding": "gzip, br" };
    const packed = await box.get("/board/live", headers);
    assert.equal(packed.headers.get("content-encoding"), "gzip");
    assert.match(packed.headers.get("vary")!, /accept-encoding/i);
    const plain = await new Response(
      packed.body!.pipeThrough(new DecompressionStream("gzip")),
    ).text();
    assert.match(plain, /<\/html>\s*$/);
    const stream = await box.get("/board/stream?panels=live", headers);
    assert.equal(stream.headers.get("content-encoding"), null);
    await stream.body!.cancel();
  });

  test("without a credential a page leads to the sign-in form and back", async () => {
    const response = await ask("/board/live?state=running", { headers: html });
    assert.equal(response.status, 303);
    assert.equal(
      response.headers.get("location"),
      "/sign-in?next=%2Fboard%2Flive%3Fstate%3Drunning",
    );
  });

  test("without a credential programs get 401 with a challenge, and htmx is sent to the form", async () => {
    for (const path of ["/board/stream?panels=live", "/board/jobs/1/log?attempt=1"]) {
      const response = await ask(path, { headers: { accept: "text/event-stream" } });
      assert.equal(response.status, 401);
      assert.match(response.headers.get("www-authenticate")!, /^Bearer/);
    }
    const headers = { "hx-request": "true", "hx-current-url": "http://board/board/live?q=x" };
    const partial = await ask("/board/live", { headers });
    assert.equal(partial.status, 401);
    assert.equal(partial.headers.get("hx-redirect"), "/sign-in?next=%2Fboard%2Flive%3Fq%3Dx");
    const odd = await ask("/board/live", { headers: { ...headers, "hx-current-url": "::" } });
    assert.equal(odd.headers.get("hx-redirect"), "/sign-in?next=%2Fboard");
  });

  test("the right token opens a session that opens pages", async () => {
    const response = await signIn({ token: TOKEN, next: "/board/live?q=mail" });
    assert.equal(response.status, 303);
    assert.equal(response.headers.get("location"), "/board/live?q=mail");
    const cookie = response.headers.get("set-cookie")!.split(";")[0]!;
    const page = await ask("/board/live", { headers: { ...html, cookie } });
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("cache-control"), "no-store");
    assert.match(await page.text(), /<h1>Live jobs<\/h1>/);
  });

  test("a wrong token says so, keeps the way back and shows nothing of what was typed", async () => {
    const response = await signIn({ token: "my-secret-guess", next: "/board/live" });
    assert.equal(response.status, 401);
    const text = await response.text();
    assert.match(text, /That is not the admin token/);
    assert.match(text, /name="next" value="\/board\/live"/);
    assert.doesNotMatch(text, /my-secret-guess/);
  });

  test("a form from another site signs nobody in", async () => {
    const foreign: Record<string, string>[] = [
      {},
      { "sec-fetch-site": "cross-site" },
      { origin: "http://evil" },
    ];
    for (const headers of foreign) {
      const response = await signIn({ token: TOKEN }, headers);
      assert.equal(response.status, 403);
      assert.equal(response.headers.get("set-cookie"), null);
    }
  });

  test("too many wrong tokens have to wait, even with the right one", async () => {
    const fresh = await boardBox();
    try {
      const post = (token: string) =>
        fresh.fetch(
          new Request("http://board/sign-in", {
            method: "POST",
            headers: own,
            redirect: "manual",
            body: new URLSearchParams({ token }),
          }),
        );
      for (let i = 0; i < 10; i++) assert.equal((await post(`guess ${i}`)).status, 401);
      const refused = await post(TOKEN);
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get("retry-after")) > 0);
    } finally {
      await fresh.close();
    }
  });

  test("a one-time link signs its first visitor in, and no preview uses it up", async () => {
    const link = box.auth.createSignInLink();
    const ahead = await ask(link, { headers: { "sec-purpose": "prefetch;prerender" } });
    assert.equal(ahead.status, 204);
    assert.equal((await ask(link, { method: "HEAD" })).headers.get("set-cookie"), null);
    const first = await ask(link);
    assert.equal(first.status, 303);
    assert.ok(first.headers.get("set-cookie"));
    const second = await ask(link);
    assert.equal(second.status, 401);
    assert.match(await second.text(), /used before/);
  });

  test("signing out ends the session on this browser, and only a page of ours can ask", async () => {
    const cookie = (await box.authentication.admin.open(false)).split(";")[0]!;
    const out = await ask("/sign-out", { method: "POST", headers: { cookie, ...own } });
    assert.equal(out.headers.get("location"), "/sign-in");
    assert.match(out.headers.get("set-cookie")!, /Max-Age=0/);
    const foreign = await ask("/sign-out", {
      method: "POST",
      headers: { cookie, "sec-fetch-site": "cross-site" },
    });
    assert.equal(foreign.headers.get("set-cookie"), null);
  });

  test("what is not there is a page with a way out", async () => {
    const response = await box.get("/board/nowhere");
    assert.equal(response.status, 404);
    const text = await response.text();
    assert.match(text, /Nothing stands here/);
    assert.match(text, /href="\/board"/);
  });

  test("htmx gets an error as a fragment with the status", async () => {
    const response = await box.get("/board/jobs/00000000-0000-7000-8000-000000000000", {
      "hx-request": "true",
    });
    assert.equal(response.status, 404);
    const text = await response.text();
    assert.match(text, /^<div class="notice bad" role="alert">/);
    assert.doesNotMatch(text, /<html/);
  });

  test("an error of ours is a 500 with an id that the log names, and no detail", async () => {
    const { reads } = box.database;
    const broken = new Error("connect to postgres://user:password@host failed");
    Object.defineProperty(box.database, "reads", {
      configurable: true,
      get: () => {
        throw broken;
      },
    });
    try {
      const response = await box.get("/board/live?q=never-asked-before");
      assert.equal(response.status, 500);
      const text = await response.text();
      const id = /Error id <code>([0-9a-f]{10})<\/code>/.exec(text)?.[1];
      assert.ok(id, text);
      assert.doesNotMatch(text, /postgres|password/);
      const logged = box.troubles.find((t) => (t.fields as { errorId?: string }).errorId === id);
      assert.ok(logged);
      assert.equal((logged.fields as { err?: unknown }).err, broken);
    } finally {
      Object.defineProperty(box.database, "reads", { configurable: true, value: reads });
      box.troubles.length = 0;
    }
  });

  test("the theme of the cookie is in the first byte, and nothing else can be put there", async () => {
    const theme = async (cookie: string) =>
      /data-theme="([^"]*)"/.exec(await (await box.get("/board/live", { cookie })).text())?.[1];
    assert.equal(await theme("signalbox_theme=dark"), "dark");
    assert.equal(await theme(""), "system");
    assert.equal(await theme('signalbox_theme="><script>'), "system");
  });

  test("the address alone leads to the board", async () => {
    assert.equal((await box.get("/")).headers.get("location"), "/board");
    assert.equal((await box.get("/board")).status, 200);
  });
});
