/** How often the board lets somebody try, whom it counts as one, and what it says to who must wait. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, OWN, somebody } from "../support/accounts/people.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";

let box: BoardBox;
before(async () => {
  box = await boardBox();
});
after(() => box.close());

describe("failed sign-ins on the board", () => {
  const enter = (form: Record<string, string>, from: string) =>
    box.fetch(ask("/sign-in", OWN, form), from);

  test("with the admin token are counted by the /64 of an IPv6 address", async () => {
    for (let i = 0; i < 10; i++) {
      assert.equal((await enter({ token: `guess ${i}` }, `2001:db8:0:1:${i}::1`)).status, 401);
    }
    assert.equal((await enter({ token: "guess" }, "2001:db8:0:1:ffff::1")).status, 429);
    assert.equal((await enter({ token: "guess" }, "2001:db8:0:2::1")).status, 401);
  });

  test("with passwords too, and an IPv4 address is one in both of its forms", async () => {
    const password = "a wrong guess";
    for (let i = 0; i < 10; i++) {
      const email = `ada${i}@example.org`;
      assert.equal((await enter({ email, password }, "::ffff:192.0.2.7")).status, 401);
    }
    const form = { email: "eve@example.org", password };
    assert.equal((await enter(form, "192.0.2.7")).status, 429);
    assert.equal((await enter(form, "192.0.2.8")).status, 401);
  });
});

describe("who must wait is told for how long, in words and in a header,", () => {
  const FROM = "198.51.100.1";
  async function waits(answer: Response, what: string): Promise<void> {
    const text = await answer.text();
    assert.equal(answer.status, 429, what);
    const seconds = Number(answer.headers.get("retry-after"));
    assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, `${what}: ${seconds}`);
    assert.match(text, /Try again in \d+ s\./, what);
  }

  test("after many wrong tokens, on every page and in every form", async () => {
    const shown = (guess: number) => ({ authorization: `Bearer sbx_${guess}` });
    for (let i = 0; i < 30; i++) {
      assert.equal((await box.fetch(ask("/board/live", shown(i)), FROM)).status, 401);
    }
    const html = { accept: "text/html" };
    const stream = "/board/stream?panels=live";
    const pages = ["/", "/board", "/board/live", "/board/account", "/board/nothing", stream];
    for (const path of [...pages, "/sign-in", "/set-up"]) {
      await waits(await box.fetch(ask(path, { ...shown(99), ...html }), FROM), path);
    }
    const others = { plain: { accept: "text/plain" }, htmx: { "hx-request": "true" } };
    for (const [what, headers] of Object.entries(others)) {
      await waits(await box.fetch(ask("/board/live", { ...shown(99), ...headers }), FROM), what);
    }
    for (const path of ["/set-up", "/board/account/password"]) {
      await waits(await box.fetch(ask(path, { ...OWN, ...shown(99) }, {}), FROM), `post ${path}`);
    }
  });

  test("after many wrong sign-ins", async () => {
    const forms: Record<string, string>[] = [
      { token: "guess" },
      { email: "grace@example.org", password: "a wrong guess" },
    ];
    for (const form of forms) {
      const enter = () => box.fetch(ask("/sign-in", OWN, form), `198.51.100.${form.token ? 2 : 3}`);
      for (let i = 0; i < 10; i++) assert.equal((await enter()).status, 401);
      await waits(await enter(), JSON.stringify(form));
    }
  });

  test("after many wrong guesses at one's present password", async () => {
    const { post } = await somebody(box);
    const form = { current: "a wrong guess", next: "another horse battery" };
    const path = "/board/account/password";
    for (let i = 0; i < 10; i++) assert.equal((await post(path, form)).status, 422);
    await waits(await post(path, form), path);
  });
});
