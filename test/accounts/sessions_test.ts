/** Sessions of people and of the admin token, over a real database and the real board. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createAdminSessions } from "../../src/accounts/admin_sessions.ts";
import {
  ADMIN,
  ask,
  browse,
  cookieIn,
  OWN,
  PASSWORD,
  somebody,
} from "../support/accounts/people.ts";
import { TOKEN } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";
import { eventually } from "../support/eventually.ts";

let box: BoardBox;
before(async () => {
  box = await boardBox();
});
after(() => box.close());

async function make(email: string, isSuperuser = false) {
  const input = { name: "Ada", email, password: PASSWORD, isSuperuser };
  return await box.authentication.people.create(input, ADMIN);
}

async function signIn(email: string, password = PASSWORD) {
  return await box.fetch(ask("/sign-in", OWN, { email, password }));
}

async function statusWith(cookie: string, path = "/board/live"): Promise<number> {
  return (await box.fetch(ask(path, { cookie, accept: "text/html" }))).status;
}

describe("signing in with a password", () => {
  test("opens the board with a cookie that no script and no other site can use", async () => {
    await make("ada@example.org");
    const entered = await signIn("Ada@Example.org");
    assert.equal(entered.status, 303);
    assert.equal(entered.headers.get("location"), "/board");
    assert.match(entered.headers.getSetCookie()[0]!, /HttpOnly; SameSite=Lax/);
    assert.equal(await statusWith(cookieIn(entered)), 200);
  });

  test("tells nobody whether the address or the password was wrong", async () => {
    await make("known@example.org");
    const wrong = await signIn("known@example.org", "wrong password!");
    const unknown = await signIn("unknown@example.org");
    assert.deepEqual([wrong.status, unknown.status], [401, 401]);
    const plain = async (answer: Response) =>
      (await answer.text())
        .replaceAll(/(un)?known@example\.org/g, "")
        .replaceAll(/data-now="[\d.]+"/g, "");
    assert.equal(await plain(wrong), await plain(unknown));
  });

  test("is slowed down after ten failures, for this address from everywhere", async () => {
    const fresh = await boardBox();
    try {
      const post = (remoteAddress: string, password: string) =>
        fresh.fetch(ask("/sign-in", OWN, { email: "ada@example.org", password }), remoteAddress);
      for (let i = 0; i < 10; i++)
        assert.equal((await post(`10.0.0.${i}`, "a wrong guess")).status, 401);
      const refused = await post("10.0.1.1", PASSWORD);
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get("retry-after")) > 0);
    } finally {
      await fresh.close();
    }
  });
});

describe("a stolen cookie", () => {
  test("is worth nothing after signing out", async () => {
    await make("out@example.org");
    const cookie = cookieIn(await signIn("out@example.org"));
    assert.equal(await statusWith(cookie), 200);
    const out = await box.fetch(ask("/sign-out", { ...OWN, cookie }, {}));
    assert.equal(out.headers.get("location"), "/sign-in");
    assert.equal(await statusWith(cookie), 303);
  });

  test("is worth nothing after its owner has changed the password", async () => {
    await make("changed@example.org");
    const stolen = cookieIn(await signIn("changed@example.org"));
    const own = cookieIn(await signIn("changed@example.org"));
    const form = { current: PASSWORD, next: "another horse battery" };
    const changed = await box.fetch(ask("/board/account/password", { ...OWN, cookie: own }, form));
    assert.equal(changed.status, 303);
    assert.equal(await statusWith(stolen), 303);
    assert.equal(await statusWith(own), 303, "the old cookie of this browser, too");
    assert.equal(await statusWith(cookieIn(changed)), 200);
    assert.equal((await signIn("changed@example.org")).status, 401);
  });

  test("is worth nothing after its owner has ended that session", async () => {
    const { id } = await make("ended@example.org");
    const stolen = cookieIn(await signIn("ended@example.org"));
    const own = cookieIn(await signIn("ended@example.org"));
    const sessions = await box.authentication.browsers.list(id);
    assert.equal(sessions.length, 2);
    const page = await (
      await box.fetch(ask("/board/account", { cookie: own, accept: "text/html" }))
    ).text();
    const other = sessions[1]!.id;
    assert.ok(page.includes(`/board/account/sessions/${other}/revoke`));
    const gone = await box.fetch(
      ask(`/board/account/sessions/${other}/revoke`, { ...OWN, cookie: own }, {}),
    );
    assert.equal(gone.status, 303);
    assert.deepEqual([await statusWith(stolen), await statusWith(own)], [303, 200]);
  });

  test("of the admin token is worth nothing after signing out", async () => {
    const cookie = (await box.authentication.admin.open(false)).split(";")[0]!;
    assert.equal(await statusWith(cookie), 200);
    await box.fetch(ask("/sign-out", { ...OWN, cookie }, {}));
    assert.equal(await statusWith(cookie), 303);
  });
});

/** Opens a stream with that cookie, acts, and waits for the stream's end. */
async function streamEndsBy(
  to: BoardBox,
  cookie: string,
  act: () => Promise<unknown>,
): Promise<void> {
  const headers = { cookie, accept: "text/event-stream" };
  const stream = await to.fetch(ask("/board/stream?panels=live", headers));
  assert.equal(stream.status, 200);
  const reader = stream.body!.getReader();
  let ended = false;
  const reading = (async () => {
    while (!(await reader.read()).done);
    ended = true;
  })();
  await act();
  await eventually(() => ended, "the stream has ended", { deadlineMs: 1_500 });
  await reading;
}

describe("a new password", () => {
  const next = "another horse battery";
  const change = (cookie: string, current = PASSWORD) =>
    box.fetch(ask("/board/account/password", { ...OWN, cookie }, { current, next }));
  const rows = (id: string) => box.database.reads`
    select actor, person_id, address, object_id from audit_log
    where action = 'person.password' and object_id = ${id}`;

  test("has its row in the audit log, and a wrong guess has none", async () => {
    const { person, cookie } = await somebody(box);
    assert.equal((await change(cookie, "a wrong guess")).status, 422);
    assert.deepEqual([...(await rows(person.id))], []);
    assert.equal((await change(cookie)).status, 303);
    const { id, name } = person;
    const row = { actor: name, person_id: id, address: "127.0.0.1", object_id: id };
    assert.deepEqual([...(await rows(id))], [row]);
  });

  test("is none where its row cannot be written: the old one and all sessions stay", async () => {
    const { person, cookie } = await somebody(box);
    const other = await browse(box, person.email);
    const { intake } = box.database;
    await intake.unsafe(`
      alter table audit_log add constraint no_row
      check (action <> 'person.password' or object_id <> '${person.id}') not valid`);
    assert.equal((await change(cookie)).status, 500);
    assert.deepEqual([await statusWith(cookie), await statusWith(other.cookie)], [200, 200]);
    assert.equal((await signIn(person.email, next)).status, 401);
    assert.equal((await signIn(person.email)).status, 303);
    await intake`alter table audit_log drop constraint no_row`;
    assert.equal((await change(cookie)).status, 303);
    assert.equal((await rows(person.id)).length, 1);
    assert.equal(await statusWith(other.cookie), 303);
  });

  test("is told with its commit, also where this server falls silent after it", async () => {
    const { person, cookie } = await somebody(box);
    const { sessions } = box.authentication;
    const session = (await sessions.of(ask("/", { cookie })))!.session;
    const heard: object[] = [];
    const listening = await box.database.beats.listen("signalbox_access", (text) => {
      heard.push(JSON.parse(text));
    });
    const words = { current: PASSWORD, next };
    const author = { name: person.name, user: person.id, token: null, address: null };
    const peer = { request: ask("/", { cookie }) };
    await box.authentication.identity.changePassword(peer, words, { author, session });
    await eventually(() => heard.length >= 2, "both notices came");
    assert.deepEqual(heard, [{ person: person.id }, { session }]);
    await listening.unlisten();
  });

  test("can be chosen by many at once", async () => {
    const people = await Promise.all(Array.from({ length: 5 }, () => somebody(box)));
    const changed = await Promise.all(people.map(({ cookie }) => change(cookie)));
    assert.deepEqual([...new Set(changed.map(({ status }) => status))], [303]);
  });
});

describe("a live stream that was opened with a cookie ends", () => {
  type Signed = Awaited<ReturnType<typeof somebody>>;
  const cases: [string, (one: Signed) => Promise<unknown>][] = [
    ["when its owner signs out", ({ post }) => post("/sign-out")],
    [
      "when its owner changes the password",
      ({ post }) =>
        post("/board/account/password", { current: PASSWORD, next: "another horse battery" }),
    ],
    [
      "when its owner ends that session in another browser",
      async ({ person }) => {
        const other = await browse(box, person.email);
        const sessions = await box.authentication.browsers.list(person.id);
        return other.post(`/board/account/sessions/${sessions.at(-1)!.id}/revoke`);
      },
    ],
    [
      "when its owner's account is removed",
      ({ person }) => box.authentication.people.remove(person.id, ADMIN, "left"),
    ],
  ];
  for (const [when, act] of cases) {
    test(when, async () => {
      const one = await somebody(box);
      await streamEndsBy(box, one.cookie, () => act(one));
      assert.equal(await statusWith(one.cookie), 303);
    });
  }

  test("when it was the admin token's, which signs out", async () => {
    const cookie = (await box.authentication.admin.open(false)).split(";")[0]!;
    await streamEndsBy(box, cookie, () => box.fetch(ask("/sign-out", { ...OWN, cookie }, {})));
  });
});

test("a page of another site opens no stream with somebody's cookie", async () => {
  const { cookie } = await somebody(box);
  const open = (headers: Record<string, string>) =>
    box.fetch(ask("/board/stream?panels=live", { cookie, ...headers }));
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
  ]) {
    assert.equal((await open(headers as unknown as Record<string, string>)).status, 403);
  }
  const own = await open({ "sec-fetch-site": "same-origin" });
  assert.equal(own.status, 200);
  await own.body?.cancel();
});

test("nobody ends somebody else's session", async () => {
  await make("mallory@example.org");
  const { id } = await make("victim@example.org");
  const theirs = cookieIn(await signIn("victim@example.org"));
  const cookie = cookieIn(await signIn("mallory@example.org"));
  const [session] = await box.authentication.browsers.list(id);
  const path = `/board/account/sessions/${session!.id}/revoke`;
  assert.equal((await box.fetch(ask(path, { ...OWN, cookie }, {}))).status, 404);
  assert.equal(await statusWith(theirs), 200);
});

test("sessions of the admin token end with the token", async () => {
  const cookie = (await box.authentication.admin.open(false)).split(";")[0]!;
  const writer = { sql: box.database.intake, announcements: box.accounts.announcements };
  const other = createAdminSessions(writer, `${TOKEN}2`);
  assert.ok(await box.authentication.admin.read(ask("/", { cookie })));
  assert.equal(await other.read(ask("/", { cookie })), null);
});

test("no cookie that was changed in any place opens anything", async () => {
  await make("forged@example.org");
  const cookie = cookieIn(await signIn("forged@example.org"));
  const [name, encoded] = cookie.split("=") as [string, string];
  const value = decodeURIComponent(encoded);
  // The last letter before the padding holds bits that mean nothing.
  for (let at = 0; at < value.length - 2; at += 5) {
    const other = value[at] === "A" ? "B" : "A";
    const forged = encodeURIComponent(value.slice(0, at) + other + value.slice(at + 1));
    assert.equal(await statusWith(`${name}=${forged}`), 303, forged);
  }
});

describe("a server without accounts", () => {
  test("leads the one-time link to the first one, which is a superuser's, and is made once", async () => {
    const fresh = await boardBox();
    try {
      const entered = await fresh.fetch(ask(fresh.auth.createSignInLink(), {}));
      assert.equal(entered.headers.get("location"), "/set-up?next=%2Fboard");
      const cookie = cookieIn(entered);
      const form = { name: "Ada", email: "ada@example.org", password: PASSWORD, next: "/board" };
      const weak = await fresh.fetch(
        ask("/set-up", { ...OWN, cookie }, { ...form, password: "short" }),
      );
      assert.equal(weak.status, 422);
      assert.match(await weak.text(), /10 to 200 characters/);
      let made!: Response;
      await streamEndsBy(fresh, cookie, async () => {
        made = await fresh.fetch(ask("/set-up", { ...OWN, cookie }, form));
      });
      assert.equal(made.headers.get("location"), "/board");
      const own = made.headers.getSetCookie().find((one) => one.includes("session_token"))!;
      const page = await fresh.fetch(
        ask("/board/people", { cookie: own.split(";")[0]!, accept: "text/html" }),
      );
      assert.match(await page.text(), /ada@example\.org.*superuser/s);
      assert.equal((await fresh.fetch(ask("/board", { cookie }))).status, 401, "admin is out");
      const again = await fresh.fetch(ask(fresh.auth.createSignInLink(), {}));
      assert.equal(again.headers.get("location"), "/board");
      const late = { ...form, email: "eve@example.org" };
      const second = ask("/set-up", { ...OWN, cookie: cookieIn(again) }, late);
      assert.equal((await fresh.fetch(second)).status, 409);
    } finally {
      await fresh.close();
    }
  });

  test("makes one first account where two are made at once", async () => {
    const fresh = await boardBox();
    try {
      const input = (n: number) => ({
        name: "Ada",
        email: `ada${n}@example.org`,
        password: PASSWORD,
      });
      const made = await Promise.allSettled(
        [1, 2, 3, 4].map((n) => fresh.authentication.people.createFirst(input(n), ADMIN)),
      );
      assert.equal(made.filter((one) => one.status === "fulfilled").length, 1);
    } finally {
      await fresh.close();
    }
  });

  test("lets nobody but superusers make the first one", async () => {
    const unasked = { name: "Eve", email: "eve@example.org", password: PASSWORD };
    const answer = await box.fetch(ask("/set-up", OWN, unasked));
    assert.equal(answer.status, 401);
  });
});
