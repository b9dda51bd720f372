import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { lesser, ROLES, type Role } from "../../src/core/scope.ts";
import type { Sql } from "../../src/db/client.ts";
import { addOrg, addPerson, CookieJar, setRole } from "../support/accounts/people_rows.ts";
import { type ApiBox, apiBox, hello, TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

const SAME_SITE = { "sec-fetch-site": "same-origin" };
const jar = new CookieJar();
let box: ApiBox;
let sql: Sql;
let acme: number;
let count = 0;

before(async () => {
  box = await apiBox({}, undefined, { sessions: jar });
  sql = box.database.intake;
  acme = await addOrg(sql, "acme");
  await addOrg(sql, "secret-org");
  await eventually(() => box.directory.byName("secret-org"), "the directory knows both");
});
after(async () => {
  await box.close();
});
beforeEach(() => {
  count += 1;
});

const TOKENS = `${V1}/orgs/acme/tokens`;

/** A person who has signed in, as headers. */
async function signedIn(role: Role | null, isSuperuser = false) {
  const roles = role === null ? [] : [[acme, role] as const];
  const person = await addPerson(sql, `${role ?? "nobody"} ${count}`, { isSuperuser, roles });
  return { person, headers: { authorization: "", cookie: jar.signIn(person), ...SAME_SITE } };
}

/** `call` sends the admin token unless told otherwise; cookies come without any. */
async function call(method: string, path: string, body: unknown, headers: Record<string, string>) {
  const { authorization, ...rest } = headers;
  const all: Record<string, string> = { "content-type": "application/json", ...rest };
  if (authorization) all.authorization = authorization;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await box.fetch(
    new Request(`http://box${path}`, { method, headers: all, body: text }),
  );
  return { status: response.status, json: await response.json() };
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

async function tokenOf(headers: Record<string, string>, body: object = {}) {
  const { status, json } = await call("POST", TOKENS, { name: "ci", ...body }, headers);
  assert.equal(status, 201, JSON.stringify(json));
  return json as { id: string; secret: string; hint: string };
}

describe("a token", () => {
  test("is shown once, and kept as a hash", async () => {
    const made = await box.call("POST", TOKENS, { name: "deploy", role: "member" });
    assert.equal(made.status, 201);
    assert.match(made.json.secret, /^sbx_[A-Za-z0-9_-]{43}$/);
    assert.equal(made.json.hint, made.json.secret.slice(0, 8));
    assert.equal(made.json.owner, null);
    const list = await box.call("GET", TOKENS);
    assert.equal(list.json.items[0].id, made.json.id);
    assert.ok(!list.text.includes(made.json.secret));
    const [row] = await sql`select * from api_token where id = ${made.json.id}`;
    assert.ok(!JSON.stringify(row).includes(made.json.secret));
    const [entry] = await sql`select * from audit_log where object_id = ${made.json.id}`;
    assert.equal(entry!.action, "token.create");
    assert.equal(entry!.actor, "admin");
    assert.equal(entry!.org_id, acme);
    assert.ok(!JSON.stringify(entry).includes(made.json.secret));
  });

  test("that is made twice with one idempotency key is made once, and its secret is kept nowhere", async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const first = await box.call("POST", TOKENS, { name: "twice" }, headers);
    const second = await box.call("POST", TOKENS, { name: "twice" }, headers);
    assert.equal(second.json.id, first.json.id);
    assert.ok(first.json.secret);
    assert.equal(second.json.secret, null);
    const [row] = await sql`
      select count(*)::int as n from idempotency_key where answer::text like ${`%${first.json.secret}%`}`;
    assert.equal(row!.n, 0);
  });

  test("says who it is", async () => {
    const { person, headers } = await signedIn("operator");
    const owner = await signedIn("owner");
    const { status, json: me } = await call("GET", `${V1}/me`, undefined, headers);
    assert.equal(status, 200);
    assert.deepEqual(
      [me.person, me.via, me.roles, me.token],
      [person, "cookie", { acme: "operator" }, null],
    );
    const { id, secret } = await tokenOf(owner.headers, { role: "viewer" });
    const its = (await box.call("GET", `${V1}/me`, undefined, bearer(secret))).json;
    assert.deepEqual(its.roles, { acme: "viewer" });
    assert.equal(its.person, owner.person);
    assert.equal(its.token.id, id);
    assert.equal(its.token.org, "acme");
  });

  test("lists go on where they ended", async () => {
    for (let i = 0; i < 3; i++) await box.call("POST", TOKENS, { name: `page ${i}` });
    const all: string[] = [];
    let cursor = "";
    do {
      const { json } = await box.call("GET", `${TOKENS}?limit=2${cursor}`);
      all.push(...json.items.map((item: { id: string }) => item.id));
      cursor = json.next_cursor === null ? "" : `&cursor=${json.next_cursor}`;
    } while (cursor !== "");
    assert.deepEqual(all, [...new Set(all)].sort().reverse());
    assert.ok(all.length >= 3);
  });

  test("that expires or has a name that none can have is refused with a reason", async () => {
    for (const [body, reason] of [
      [{ name: "" }, /must not be empty/],
      [{ name: "x", expires_at: "2020-01-01T00:00:00Z" }, /future/],
      [{ name: "x", role: "king" }, /viewer/],
      [{ name: "x", scope: "all" }, /not known/],
    ] as const) {
      const { status, text } = await box.call("POST", TOKENS, body);
      assert.equal(status, 422);
      assert.match(text, reason);
    }
  });
});

describe("nobody gains by a token", () => {
  test("who may not manage tokens makes, sees and revokes none", async () => {
    const { json: made } = await box.call("POST", TOKENS, { name: "a" });
    for (const role of ["viewer", "member", "operator"] as const) {
      const { headers } = await signedIn(role);
      for (const [method, path, body] of [
        ["GET", TOKENS, undefined],
        ["POST", TOKENS, { name: "b" }],
        ["DELETE", `${TOKENS}/${made.id}`, undefined],
        ["GET", `${V1}/orgs/acme/worker-tokens`, undefined],
      ] as const) {
        const { status, json } = await call(method, path, body, headers);
        assert.equal(status, 403, `${role} ${method}`);
        assert.match(json.detail, /Needs the role admin/);
      }
    }
    const { headers } = await signedIn(null);
    for (const method of ["GET", "POST"]) {
      const body = method === "POST" ? { name: "b" } : undefined;
      const unseen = await call(method, TOKENS, body, headers);
      const missing = await call(method, `${V1}/orgs/nowhere/tokens`, body, headers);
      assert.equal(unseen.status, 404);
      assert.equal(missing.status, 404);
      assert.equal(unseen.json.detail.replace("acme", "nowhere"), missing.json.detail);
    }
  });

  test("an admin makes no token for an owner", async () => {
    const { headers } = await signedIn("admin");
    const { status, json } = await call("POST", TOKENS, { name: "x", role: "owner" }, headers);
    assert.equal(status, 403);
    assert.match(json.detail, /You are admin in acme/);
  });

  test("a token makes no token, of whatever kind, and says what does", async () => {
    const { headers } = await signedIn("owner");
    const { secret } = await tokenOf(headers);
    for (const path of [TOKENS, `${V1}/orgs/acme/worker-tokens`]) {
      const { status, json } = await box.call("POST", path, { name: "child" }, bearer(secret));
      assert.equal(status, 403);
      assert.match(json.detail, /A token cannot make tokens: sign in/);
    }
    assert.equal((await box.call("GET", TOKENS, undefined, bearer(secret))).status, 200);
  });

  test("its power is the lesser of its owner's now and its own", async () => {
    const { person, headers } = await signedIn("owner");
    const viewer = await tokenOf(headers, { role: "viewer" });
    const full = await tokenOf(headers);
    const mayList = async (secret: string) =>
      (await box.call("GET", TOKENS, undefined, bearer(secret))).status;
    assert.deepEqual([await mayList(viewer.secret), await mayList(full.secret)], [403, 200]);
    await setRole(sql, person, acme, "member");
    await eventually(async () => (await mayList(full.secret)) === 403, "it fell with its owner");
    await setRole(sql, person, acme, null);
    await eventually(async () => (await mayList(full.secret)) === 404, "it sees nothing any more");
    const { json } = await box.call("GET", `${V1}/me`, undefined, bearer(full.secret));
    assert.deepEqual(json.roles, {});
  });

  test("for every role of its owner and every ceiling it is the lesser of both, and in no other place", async () => {
    const { person, headers } = await signedIn("owner");
    const tokens = await Promise.all(
      [null, ...ROLES].map(async (role) => ({ role, ...(await tokenOf(headers, { role })) })),
    );
    for (const owns of ROLES) {
      await setRole(sql, person, acme, owns);
      box.accounts.announcements.tell({ person });
      for (const { role, secret } of tokens) {
        const { json: me } = await box.call("GET", `${V1}/me`, undefined, bearer(secret));
        const least = role === null ? owns : lesser(owns, role);
        assert.deepEqual(me.roles, { acme: least }, `${owns} with ceiling ${role}`);
        assert.equal(me.is_superuser, false);
      }
    }
  });

  test("a superuser's token is of one organization only", async () => {
    const { headers } = await signedIn(null, true);
    const { secret } = await tokenOf(headers);
    const { json } = await box.call("GET", `${V1}/me`, undefined, bearer(secret));
    assert.deepEqual([json.is_superuser, json.roles], [false, { acme: "owner" }]);
    const other = `${V1}/orgs/secret-org/tokens`;
    assert.equal((await box.call("GET", other, undefined, bearer(secret))).status, 404);
    const shared = await box.call("GET", `${V1}/worker-tokens`, undefined, bearer(secret));
    assert.equal(shared.status, 403);
  });

  test("one organization's admin does not reach the tokens of another", async () => {
    const { json } = await box.call("POST", `${V1}/orgs/secret-org/tokens`, { name: "theirs" });
    const { headers } = await signedIn("owner");
    assert.equal((await call("DELETE", `${TOKENS}/${json.id}`, undefined, headers)).status, 404);
    const me = await box.call("GET", `${V1}/me`, undefined, bearer(json.secret));
    assert.equal(me.status, 200);
  });

  test("a cookie makes tokens only from a page of ours", async () => {
    const { headers } = await signedIn("owner");
    const cross = { ...headers, "sec-fetch-site": "cross-site" };
    assert.equal((await call("POST", TOKENS, { name: "x" }, cross)).status, 401);
  });
});

describe("a revoked token", () => {
  test("opens nothing from then on, and the log says who and why", async () => {
    const { json } = await box.call("POST", TOKENS, { name: "leaked" });
    const me = () => box.call("GET", `${V1}/me`, undefined, bearer(json.secret));
    assert.equal((await me()).status, 200);
    const reason = { reason: "found in a chat" };
    const revoked = await box.call("DELETE", `${TOKENS}/${json.id}`, reason);
    assert.equal(revoked.status, 200);
    assert.ok(revoked.json.revoked_at);
    assert.equal((await me()).status, 401);
    const again = await box.call("DELETE", `${TOKENS}/${json.id}`);
    assert.deepEqual([again.status, again.json.revoked_at], [200, revoked.json.revoked_at]);
    const entries = await sql`
      select action, reason, before, after from audit_log where object_id = ${json.id} order by id`;
    assert.deepEqual(
      entries.map(({ action, reason }) => [action, reason]),
      [
        ["token.create", null],
        ["token.revoke", "found in a chat"],
      ],
    );
    assert.equal(entries[1]!.before.revoked_at, null);
    assert.ok(entries[1]!.after.revoked_at);
  });

  test("that never was is 404", async () => {
    const { status } = await box.call("DELETE", `${TOKENS}/${crypto.randomUUID()}`);
    assert.equal(status, 404);
  });
});

test("a token that has expired opens nothing", async () => {
  const { json } = await box.call("POST", TOKENS, { name: "short" });
  await sql`update api_token set expires_at = now() - interval '1 second' where id = ${json.id}`;
  assert.equal((await box.call("GET", `${V1}/me`, undefined, bearer(json.secret))).status, 401);
});

test("worker tokens of an organization, and of the shared fleet for superusers", async () => {
  const body = { name: "gpu", pool: "gpu", features: ["cuda"], kinds: ["exec"], slots_max: 4 };
  const made = await box.call("POST", `${V1}/orgs/acme/worker-tokens`, body);
  assert.equal(made.status, 201);
  assert.match(made.json.secret, /^sbw_/);
  const shared = await box.call("POST", `${V1}/worker-tokens`, { name: "all" });
  assert.deepEqual([shared.status, shared.json.org, shared.json.pool], [201, null, null]);
  const { headers } = await signedIn("owner");
  assert.equal((await call("POST", `${V1}/worker-tokens`, { name: "x" }, headers)).status, 403);
  const own = await call("GET", `${V1}/orgs/acme/worker-tokens`, undefined, headers);
  assert.deepEqual(
    own.json.items.map((item: { id: string }) => item.id),
    [made.json.id],
  );
  const path = `${V1}/worker-tokens/${shared.json.id}`;
  assert.ok((await box.call("DELETE", path)).json.revoked_at);
  assert.equal((await box.call("DELETE", `${V1}/worker-tokens/${made.json.id}`)).status, 404);
  assert.equal((await box.call("GET", `${V1}/worker-tokens`)).json.items.length, 1);
  // A worker's token is none for the API.
  assert.equal(
    (await box.call("GET", `${V1}/me`, undefined, bearer(made.json.secret))).status,
    401,
  );
});

test("two people of one name do not get each other's kept answers", async () => {
  const key = { "idempotency-key": crypto.randomUUID() };
  const path = `${V1}/orgs/acme/jobs`;
  const ids: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { json } = await box.call("POST", TOKENS, { name: "same name" });
    const answer = await box.call("POST", path, hello, { ...bearer(json.secret), ...key });
    assert.equal(answer.status, 201);
    ids.push(answer.json.id);
  }
  assert.notEqual(ids[0], ids[1]);
});

test("wrong tokens are limited by peer, and shut out nobody whose token is known", async () => {
  const { json } = await box.call("POST", TOKENS, { name: "known" });
  const ask = async (secret: string, address: string) => {
    const request = new Request(`http://box${V1}/me`, { headers: bearer(secret) });
    return box.access.authenticate(request, address).then(
      (caller) => (caller === null ? 401 : 200),
      (error: Error) => error.name,
    );
  };
  assert.equal(await ask(json.secret, "10.0.0.1"), 200);
  const wrong = (i: number) => `sbx_${String(i).padStart(43, "A")}`;
  // The same wrong one over and over is one mistake, not many guesses.
  for (let i = 0; i < 100; i++) assert.equal(await ask(wrong(0), "10.0.0.1"), 401);
  for (let i = 1; i < 30; i++) assert.equal(await ask(wrong(i), "10.0.0.1"), 401);
  assert.equal(await ask(wrong(30), "10.0.0.1"), "TooManyAttempts");
  assert.equal(await ask(json.secret, "10.0.0.1"), 200);
  assert.equal(await ask(TOKEN, "10.0.0.1"), 200);
  assert.equal(await ask(wrong(31), "10.0.0.2"), 401);
  for (let i = 40; i < 80; i++) {
    const headers = bearer(wrong(i));
    const { status, headers: sent } = await box.call("GET", `${V1}/me`, undefined, headers);
    if (status === 401) continue;
    assert.equal(status, 429);
    assert.ok(Number(sent.get("retry-after")) > 0);
    return;
  }
  assert.fail("it was never limited");
});
