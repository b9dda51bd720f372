/** What asking costs, and what is remembered, with statements counted. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { announce } from "../../src/accounts/announce.ts";
import { connect, type Database, type Sql } from "../../src/db/client.ts";
import { type AccessParts, accessParts } from "../support/accounts/access_parts.ts";
import { addOrg, addPerson, CookieJar, setRole } from "../support/accounts/people_rows.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

const TOKEN = "admin-token-0123456789abcdef0123456789abcdef";
const jar = new CookieJar();
let box: TestDatabase;
let database: Database;
let who: AccessParts;
let acme: number;
/** Statements of the accounts, the listening connection's apart. */
let statements = 0;

/** The pool itself, but for a count of what is sent through it. */
function counted(sql: Sql): Sql {
  return new Proxy(sql, {
    apply: (target, self, args) => {
      statements += 1;
      return Reflect.apply(target, self, args);
    },
    get: (target, name) => {
      if (name === "unsafe") statements += 1;
      return Reflect.get(target, name);
    },
  });
}

before(async () => {
  box = await testDatabase();
  database = await connect(box.url);
  acme = await addOrg(database.intake, "acme", true);
  who = await accessParts(TOKEN, {
    database: {
      url: box.url,
      reads: counted(database.reads),
      intake: counted(database.intake),
    },
    sessions: jar,
  });
});
after(async () => {
  await who.accounts.stop();
  await database.close();
  await box.drop();
});
beforeEach(() => {
  statements = 0;
});

function request(headers: Record<string, string> = {}, method = "GET"): Request {
  return new Request("http://signalbox.example/", { method, headers });
}
const bearer = (secret: string) => request({ authorization: `Bearer ${secret}` });

async function makeToken() {
  const admin = (await who.access.authenticate(bearer(TOKEN)))!;
  const org = who.directory.byName("acme")!;
  const wanted = { name: "t", role: null, purpose: "api", expiresAt: null } as const;
  const made = await who.tokens.create(admin, org, wanted);
  return { id: made.token.id, secret: made.secret, admin, org };
}

describe("asking who somebody is", () => {
  test("costs one statement for a token, however often; and its use is written with others, later", async () => {
    const tokens = [await makeToken(), await makeToken()];
    statements = 0;
    for (let i = 0; i < 200; i++) {
      for (const { secret } of tokens) assert.ok(await who.access.authenticate(bearer(secret)));
    }
    // Lookups may be made again where the listening connection was slow for a moment.
    assert.ok(statements >= 2 && statements < 20, `${statements} statements`);
    const uses = async () => {
      const rows = await database.reads`
        select last_used_at from api_token where id in ${database.reads(tokens.map((t) => t.id))}`;
      return rows.map((row) => row.last_used_at as Date | null);
    };
    assert.deepEqual(await uses(), [null, null]);
    statements = 0;
    await who.accounts.stop();
    assert.equal(statements, 1, "both in one statement, at the stop");
    for (const at of await uses()) {
      assert.ok(at && Math.abs(at.getTime() - Date.now()) < 60_000, String(at));
    }
    await who.accounts.start();
  });

  test("costs nothing for the admin token, for strangers, and for what can be no token", async () => {
    await who.access.authenticate(request());
    statements = 0;
    const admin = await who.access.authenticate(bearer(TOKEN), "10.0.0.1");
    assert.deepEqual(admin?.author, {
      name: "admin",
      user: null,
      token: null,
      address: "10.0.0.1",
    });
    assert.equal(admin?.scope.isSuperuser, true);
    const stranger = await who.access.authenticate(request());
    assert.equal(stranger?.via, "nobody");
    assert.deepEqual([...stranger!.scope.open], [acme]);
    assert.equal(stranger!.scope.isSignedIn, false);
    for (const wrong of ["x", TOKEN.toUpperCase(), "sbx_short", `sbw_${"A".repeat(43)}`]) {
      assert.equal(await who.access.authenticate(bearer(wrong), "10.0.0.2"), null);
    }
    assert.equal(statements, 0);
  });

  test("costs one statement for a wrong token, however often", async () => {
    const wrong = `sbx_${"w".repeat(43)}`;
    for (let i = 0; i < 50; i++) {
      assert.equal(await who.access.authenticate(bearer(wrong), "10.0.0.3"), null);
    }
    assert.equal(statements, 1);
  });
});

describe("a cookie", () => {
  test("is its person, with the roles of this moment", async () => {
    const person = await addPerson(database.intake, "Ada", { roles: [[acme, "operator"]] });
    const cookie = jar.signIn(person);
    const caller = await who.access.authenticate(request({ cookie }), "10.1.1.1");
    assert.deepEqual(caller?.author, {
      name: "Ada",
      user: person,
      token: null,
      address: "10.1.1.1",
    });
    assert.deepEqual([...caller!.scope.roles], [[acme, "operator"]]);
    await setRole(database.intake, person, acme, "admin");
    await eventually(async () => {
      const now = await who.access.authenticate(request({ cookie }));
      return now?.scope.roles.get(acme) === "admin";
    }, "the new role counts");
  });

  test("does not rescue a wrong token", async () => {
    const cookie = jar.signIn(await addPerson(database.intake, "Bob"));
    const both = request({ cookie, authorization: "Bearer wrong" });
    assert.equal(await who.access.authenticate(both, "10.0.0.4"), null);
  });

  test("counts for a change only from a page of ours", async () => {
    const cookie = jar.signIn(await addPerson(database.intake, "Eve"));
    const host = "signalbox.example";
    const via = async (headers: Record<string, string>) =>
      (await who.access.authenticate(request({ cookie, host, ...headers }, "POST")))?.via;
    assert.equal(await via({ "sec-fetch-site": "same-origin" }), "cookie");
    assert.equal(await via({ origin: `http://${host}` }), "cookie");
    const foreign: Record<string, string>[] = [
      {},
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "http://evil.example" },
      { origin: "null" },
    ];
    for (const headers of foreign) assert.equal(await via(headers), undefined);
  });

  test("of somebody who is no person any more is a stranger's", async () => {
    const person = await addPerson(database.intake, "Gone");
    const cookie = jar.signIn(person);
    assert.equal((await who.access.authenticate(request({ cookie })))?.via, "cookie");
    await database.intake.begin(async (tx) => {
      await tx`delete from person where id = ${person}`;
      await announce(tx, { person });
    });
    await eventually(async () => {
      const caller = await who.access.authenticate(request({ cookie }));
      return caller?.via === "nobody";
    }, "it is nobody's");
  });
});

test("a token that is revoked in the moment in which it is looked up is not remembered as good", async () => {
  for (let i = 0; i < 20; i++) {
    const { id, secret, admin, org } = await makeToken();
    const lookups = Array.from({ length: 5 }, () => who.access.authenticate(bearer(secret)));
    const revoked = who.tokens.revoke(admin, org, id);
    await Promise.all([...lookups, revoked]);
    assert.equal(await who.access.authenticate(bearer(secret)), null);
  }
});

test("an organization that is closed to strangers is closed to those who watch it", async () => {
  const stranger = (await who.access.authenticate(request()))!;
  let ended = 0;
  const unwatch = who.access.watch(stranger, () => {
    ended += 1;
  });
  const before = (await who.access.authenticate(request()))!;
  assert.deepEqual([...before.scope.open], [acme]);
  await database.intake.begin(async (tx) => {
    await tx`update org set is_public = false where id = ${acme}`;
    await announce(tx, { orgs: true });
  });
  await eventually(() => ended === 1, "it ends");
  const now = await who.access.authenticate(request());
  assert.deepEqual([...now!.scope.open], []);
  unwatch();
  assert.equal(ended, 1);
});

test("whoever stops watching is not called", async () => {
  const { id, secret, admin, org } = await makeToken();
  const caller = (await who.access.authenticate(bearer(secret)))!;
  const unwatch = who.access.watch(caller, () => assert.fail("called"));
  let heard = false;
  who.access.watch(caller, () => {
    heard = true;
  });
  unwatch();
  await who.tokens.revoke(admin, org, id);
  await eventually(() => heard, "the other is called");
});
