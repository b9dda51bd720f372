/** Who may open the audit log's page, and whose rows and organizations it then shows. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { writeAudit } from "../../../src/db/statements/audit.ts";
import { boardPages } from "../../../src/pages/all_pages.ts";
import { createBoard } from "../../../src/web/app.ts";
import { accessAs, roleIn, SUPERUSER } from "../../support/accounts/as_caller.ts";
import { JOBS } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";

describe("the audit log's page", () => {
  let box: BoardBox;
  let board: ReturnType<typeof createBoard>;
  let secret: number;

  before(async () => {
    box = await boardBox();
    const { engine, database, logs, auth, directory, live, traffic } = box;
    const [row] = await database.intake`insert into org (name) values ('secret') returning id`;
    secret = row!.id as number;
    await directory.refresh();
    const access = accessAs({
      root: SUPERUSER,
      admin: roleIn(1, "admin"),
      owner: roleIn(secret, "owner"),
      operator: roleIn(1, "operator"),
      passer: roleIn(secret, "viewer", [1]),
    });
    const note = (fields: object) => assert.fail(JSON.stringify(fields));
    const log = { error: note, warn: note };
    const { accounts, authentication } = box;
    const who = { auth, access, accounts, authentication, directory };
    board = createBoard({ engine, database, logs, ...who, live, traffic, log }, boardPages);
    const author = { name: "Ada", user: "p", token: null, address: "192.0.2.7" };
    const change = { author, action: "queue.pause", objectKind: "queue" };
    await writeAudit(database.intake, [
      { ...change, org: 1, objectId: "of-default" },
      { ...change, org: secret, objectId: "of-secret" },
      { ...change, org: null, objectId: "of-instance" },
    ]);
  });
  after(() => box.close());

  async function get(as: string, path: string) {
    const headers = { accept: "text/html", "x-as": as };
    const response = await board.request(`http://board${path}`, { headers });
    return { status: response.status, text: await response.text() };
  }
  const objects = (text: string) => [...text.matchAll(/of-(\w+)<\/bdi>/g)].map((found) => found[1]);

  test("shows what the reader manages, and superusers everything", async () => {
    const all = await get("root", "/board/audit");
    assert.deepEqual(objects(all.text), ["instance", "secret", "default"]);
    assert.match(all.text, /<option value="secret">/);
    const one = await get("root", "/board/audit?org=secret");
    assert.deepEqual(objects(one.text), ["secret"]);
    const own = await get("admin", "/board/audit");
    assert.deepEqual(objects(own.text), ["default"]);
    assert.doesNotMatch(own.text, /secret|of-instance/);
    assert.deepEqual(objects((await get("owner", "/board/audit")).text), ["secret"]);
  });

  test("is not for operators, viewers and passers-by, and says who can change that", async () => {
    for (const as of ["operator", "passer"]) {
      const { status, text } = await get(as, "/board/audit");
      assert.equal(status, 403, as);
      assert.match(text, /for admins and owners of an organization/);
      assert.doesNotMatch(text, /of-default|of-secret|of-instance/);
      assert.doesNotMatch(text, /href="\/board\/audit"/, "it is not offered either");
    }
    assert.match((await get("admin", "/board/account")).text, /href="\/board\/audit"/);
  });

  test("answers alike for an organization that is hidden and one that is not there", async () => {
    const hidden = await get("admin", "/board/audit?org=secret");
    const none = await get("admin", "/board/audit?org=nowhere");
    assert.deepEqual([hidden.status, none.status], [404, 404]);
    const cut = (text: string) => text.replaceAll(/data-now="[\d.]+"/g, "");
    assert.equal(cut(hidden.text), cut(none.text));
  });

  test("is linked from a job's page for those who may open it", async () => {
    const { json } = await box.call("POST", JOBS, { name: "resize", kind: "handler" });
    const link = /This job in the audit log/;
    assert.match((await get("admin", `/board/jobs/${json.id}`)).text, link);
    assert.doesNotMatch((await get("operator", `/board/jobs/${json.id}`)).text, link);
  });
});
