/** Organizations, members and invitations, over the real board and API. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ADMIN, ask, browse, OWN, PASSWORD, somebody } from "../support/accounts/people.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";

let box: BoardBox;
let acme: number;
before(async () => {
  box = await boardBox();
  const settings = { title: "Acme & Sons", isPublic: false };
  acme = await box.accounts.organizations.create("acme", settings, ADMIN);
  await box.directory.refresh();
});
after(() => box.close());

async function audited(action: string): Promise<Record<string, unknown>[]> {
  return await box.database.reads`
    select actor, action, object_id, before, after from audit_log where action = ${action} order by id`;
}

const linkIn = (page: string) => /\/invitations\/[A-Za-z0-9_-]{43}/.exec(page)?.[0];

describe("an organization", () => {
  test("is made by superusers, with a queue, and told in the audit log", async () => {
    const chief = await somebody(box, { isSuperuser: true });
    const made = await chief.post("/board/orgs", { name: "globex", title: "Globex" });
    assert.equal(made.headers.get("location"), "/board/orgs/globex");
    assert.match(await (await chief.get("/board/orgs")).text(), /Globex/);
    const [row] = await audited("org.create").then((rows) => rows.slice(-1));
    assert.deepEqual(row?.after, { name: "globex", title: "Globex", is_public: false });
    const [queue] = await box.database.reads`
      select u.name from queue u join org o on o.id = u.org_id where o.name = 'globex'`;
    assert.equal(queue?.name, "default");
    const again = await chief.post("/board/orgs", { name: "globex" });
    assert.equal(again.status, 409);
    assert.equal((await chief.post("/board/orgs", { name: "Not a name" })).status, 422);
  });

  test("is made by nobody else", async () => {
    const person = await somebody(box, { roles: { [acme]: "owner" } });
    assert.equal((await person.post("/board/orgs", { name: "mine" })).status, 403);
    assert.equal(box.directory.byName("mine"), undefined);
  });

  test("does not exist for who is not in it, unless it is public", async () => {
    const stranger = await somebody(box);
    const hidden = await stranger.get("/board/orgs/acme");
    const never = await stranger.get("/board/orgs/nowhere");
    assert.deepEqual([hidden.status, never.status], [404, 404]);
    assert.doesNotMatch(await (await stranger.get("/board/orgs")).text(), /Acme/);
    const owner = await somebody(box, { roles: { [acme]: "owner" } });
    await owner.post("/board/orgs/acme/settings", { title: "Acme & Sons", public: "on" });
    assert.equal((await stranger.get("/board/orgs/acme")).status, 200);
    await owner.post("/board/orgs/acme/settings", { title: "Acme & Sons" });
    assert.equal((await stranger.get("/board/orgs/acme")).status, 404);
  });

  test("shows members and tokens to its admins only", async () => {
    const admin = await somebody(box, { name: "Grace Admin", roles: { [acme]: "admin" } });
    const operator = await somebody(box, { roles: { [acme]: "operator" } });
    assert.match(await (await admin.get("/board/orgs/acme")).text(), /Grace Admin/);
    const plain = await operator.get("/board/orgs/acme");
    assert.equal(plain.status, 200);
    assert.doesNotMatch(await plain.text(), /Grace Admin|@example\.org/);
    const answer = await box.fetch(ask("/api/v1/orgs/acme/members", { cookie: operator.cookie }));
    assert.equal(answer.status, 403);
  });
});

describe("an invitation", () => {
  test("makes an account and a member of whoever opens it, once", async () => {
    const admin = await somebody(box, { roles: { [acme]: "admin" } });
    const made = await admin.post("/board/orgs/acme/invitations", { role: "operator", email: "" });
    const link = linkIn(await made.text())!;
    const page = await box.fetch(ask(link, { accept: "text/html" }));
    assert.equal(page.headers.get("referrer-policy"), "strict-origin");
    assert.match(await page.text(), /Acme &amp; Sons.*operator/s);
    const form = { name: "Linus", email: "linus@example.org", password: PASSWORD };
    const joined = await box.fetch(ask(link, OWN, form));
    assert.equal(joined.headers.get("location"), "/board");
    const linus = await browse(box, "linus@example.org");
    assert.match(await (await linus.get("/board/orgs/acme")).text(), /You are an operator here/);
    assert.equal((await box.fetch(ask(link, { accept: "text/html" }))).status, 404);
    const second = await box.fetch(ask(link, OWN, { ...form, email: "eve@example.org" }));
    assert.equal(second.status, 404);
    const [eve] = await box.database.reads`select 1 from person where email = 'eve@example.org'`;
    assert.equal(eve, undefined, "no account without a place");
  });

  test("is opened by one of many who try at once", async () => {
    const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
    const org = { id: acme, name: "acme" };
    const { secret } = await box.accounts.invitations.create(
      org,
      { role: "viewer", email: null },
      by,
    );
    const tries = [1, 2, 3, 4].map((n) => {
      const input = { name: "Racer", email: `racer${n}@example.org`, password: PASSWORD };
      return box.accounts.invitations.acceptAsNew(secret, input, ADMIN);
    });
    const done = await Promise.allSettled(tries);
    assert.equal(done.filter((one) => one.status === "fulfilled").length, 1);
    const rows = await box.database.reads`select 1 from person where name = 'Racer'`;
    assert.equal(rows.length, 1);
  });

  test("for one address is of no use to another", async () => {
    const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
    const wanted = { role: "member" as const, email: "chosen@example.org" };
    const org = { id: acme, name: "acme" };
    const { secret } = await box.accounts.invitations.create(org, wanted, by);
    const other = await somebody(box);
    assert.equal((await other.post(`/invitations/${secret}`)).status, 403);
    assert.equal((await other.get("/board/orgs/acme")).status, 404);
  });

  test("raises a member and never lowers one", async () => {
    const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
    const org = { id: acme, name: "acme" };
    const admin = await somebody(box, { roles: { [acme]: "admin" } });
    for (const role of ["viewer", "owner"] as const) {
      const { secret } = await box.accounts.invitations.create(org, { role, email: null }, by);
      await admin.post(`/invitations/${secret}`);
    }
    const members = await box.accounts.members.list(acme, { after: "", limit: 500 });
    assert.equal(members.find((one) => one.person === admin.person.id)?.role, "owner");
  });

  test("that was taken back opens nothing", async () => {
    const admin = await somebody(box, { roles: { [acme]: "admin" } });
    const made = await admin.post("/board/orgs/acme/invitations", { role: "viewer" });
    const link = linkIn(await made.text())!;
    const [open] = await box.accounts.invitations.list(acme);
    await admin.post(`/board/orgs/acme/invitations/${open!.id}/revoke`);
    assert.equal((await box.fetch(ask(link, { accept: "text/html" }))).status, 404);
  });

  test("opens nothing once whoever made it may not make it any more", async () => {
    const owner = await somebody(box, { roles: { [acme]: "owner" } });
    const linkOf = async (who: typeof owner, role: string) =>
      linkIn(await (await who.post("/board/orgs/acme/invitations", { role })).text())!;
    const isOpen = async (link: string) => (await box.fetch(ask(link, {}))).status !== 404;

    const admin = await somebody(box, { roles: { [acme]: "admin" } });
    const [forAdmin, forViewer] = [await linkOf(owner, "admin"), await linkOf(admin, "viewer")];
    assert.deepEqual([await isOpen(forAdmin), await isOpen(forViewer)], [true, true]);
    await owner.post(`/board/orgs/acme/members/${admin.person.id}/role`, { role: "operator" });
    assert.equal(await isOpen(forViewer), false, "of an admin who is one no more");
    const listed = await box.accounts.invitations.list(acme);
    assert.equal(
      listed.some((one) => one.createdBy === admin.person.name),
      false,
    );

    const { members } = box.accounts;
    const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
    await members.set({ id: acme, name: "acme" }, owner.person.id, "admin", by);
    assert.equal(await isOpen(forAdmin), true, "an admin may invite admins");
    await members.remove({ id: acme, name: "acme" }, owner.person.id, by, null);
    const guest = await somebody(box);
    assert.equal((await guest.post(forAdmin)).status, 404);
    await members.set({ id: acme, name: "acme" }, owner.person.id, "admin", by);
    await box.authentication.people.remove(owner.person.id, ADMIN, null);
    assert.equal(await isOpen(forAdmin), false, "of somebody who is gone");
  });

  test("cannot be above who makes it, and no other site accepts it for somebody", async () => {
    const admin = await somebody(box, { roles: { [acme]: "admin" } });
    const above = await admin.post("/board/orgs/acme/invitations", { role: "owner" });
    assert.equal(above.status, 403);
    const made = await admin.post("/board/orgs/acme/invitations", { role: "viewer" });
    const link = linkIn(await made.text())!;
    const victim = await somebody(box);
    const foreign = { cookie: victim.cookie, "sec-fetch-site": "cross-site" };
    assert.equal((await box.fetch(ask(link, foreign, {}))).status, 403);
  });
});

describe("a member", () => {
  test("who is removed sees nothing from then on", async () => {
    const owner = await somebody(box, { roles: { [acme]: "owner" } });
    const member = await somebody(box, { roles: { [acme]: "member" } });
    assert.equal((await member.get("/board/orgs/acme")).status, 200);
    await owner.post(`/board/orgs/acme/members/${member.person.id}/remove`);
    assert.equal((await member.get("/board/orgs/acme")).status, 404);
    const [row] = (await audited("member.remove")).slice(-1);
    assert.deepEqual([row?.object_id, row?.before], [member.person.id, { role: "member" }]);
  });

  test("of less is not made more by an admin than the admin is", async () => {
    const admin = await somebody(box, { roles: { [acme]: "admin" } });
    const owner = await somebody(box, { roles: { [acme]: "owner" } });
    const path = (id: string, what: string) => `/board/orgs/acme/members/${id}/${what}`;
    const crown = await admin.post(path(admin.person.id, "role"), { role: "owner" });
    assert.equal(crown.status, 403);
    assert.equal((await admin.post(path(owner.person.id, "remove"))).status, 403);
    assert.equal((await admin.post(path(owner.person.id, "role"), { role: "viewer" })).status, 403);
  });

  test("whose account is removed leaves a line in the organization's own log, and no last owner is", async () => {
    const lone = { title: null, isPublic: false };
    const id = await box.accounts.organizations.create("lone", lone, ADMIN);
    await box.directory.refresh();
    const { people } = box.authentication;
    const owner = await somebody(box, { roles: { [id]: "owner" } });
    const member = await somebody(box, { roles: { [id]: "member" } });
    await assert.rejects(people.remove(owner.person.id, ADMIN, null), /without an owner/);
    assert.equal(await people.remove(member.person.id, ADMIN, "left"), true);
    const rows = await box.database.reads`
      select object_id, reason from audit_log where org_id = ${id} and action = 'member.remove'`;
    assert.deepEqual([...rows], [{ object_id: member.person.id, reason: "left" }]);
  });

  test("who opens two links at once has the greater role", async () => {
    const person = await somebody(box);
    const by = { author: ADMIN, role: "owner" as const, person: null, isToken: false };
    const org = { id: acme, name: "acme" };
    const secrets: string[] = [];
    for (const role of ["viewer", "admin", "member"] as const) {
      const made = await box.accounts.invitations.create(org, { role, email: null }, by);
      secrets.push(made.secret);
    }
    await Promise.all(secrets.map((secret) => person.post(`/invitations/${secret}`)));
    const members = await box.accounts.members.list(acme, { after: "", limit: 500 });
    assert.equal(members.find((one) => one.person === person.person.id)?.role, "admin");
  });

  test("who is the last owner cannot leave, though two try at once", async () => {
    const id = await box.accounts.organizations.create(
      "pair",
      { title: null, isPublic: false },
      ADMIN,
    );
    await box.directory.refresh();
    const both = [await somebody(box, { roles: { [id]: "owner" } })];
    both.push(await somebody(box, { roles: { [id]: "owner" } }));
    const leave = both.map((one) => one.post(`/board/orgs/pair/members/${one.person.id}/remove`));
    const statuses = (await Promise.all(leave)).map((answer) => answer.status).sort();
    assert.deepEqual(statuses, [303, 409]);
  });
});
