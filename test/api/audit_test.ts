/** The audit log by API: who may read which rows, filters, pages, exports to the byte. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ALL_ROUTES } from "../../src/api/all_routes.ts";
import { createApi } from "../../src/api/app.ts";
import { createOpenApi } from "../../src/api/openapi.ts";
import { type AuditEntry, writeAudit } from "../../src/db/statements/audit.ts";
import { SEARCHED_MAX } from "../../src/web/audit/rows.ts";
import { LiveHub } from "../../src/web/live/hub.ts";
import { accessAs, roleIn, SUPERUSER } from "../support/accounts/as_caller.ts";
import { type ApiBox, apiBox, hello, JOBS, V1 } from "../support/api_box.ts";
import { createConformance } from "../support/conformance.ts";
import { eventually } from "../support/eventually.ts";

const conform = createConformance(createOpenApi(ALL_ROUTES, "test"));
const author = { name: "Ada", user: "person-ada", token: null, address: "192.0.2.7" };
const plain = { author, action: "queue.pause", objectKind: "queue", objectId: "default" };

describe("the audit log by API", () => {
  let box: ApiBox;
  let api: ReturnType<typeof createApi>;
  let secret: number;
  let hub: LiveHub;

  before(async () => {
    box = await apiBox();
    const { engine, database, logs, directory, traffic } = box;
    const [row] = await database.intake`
      insert into org (name) values ('secret'), ('open') returning id`;
    secret = row!.id as number;
    await directory.refresh();
    hub = new LiveHub({ feed: engine.feed, now: () => engine.now(), onError: () => {} });
    const access = accessAs({
      root: SUPERUSER,
      admin: roleIn(1, "admin"),
      operator: roleIn(1, "operator"),
      viewer: roleIn(1, "viewer"),
      foreigner: roleIn(secret, "owner"),
      passer: roleIn(secret, "viewer", [1]),
    });
    const log = { warn() {}, error: (fields: object) => assert.fail(JSON.stringify(fields)) };
    api = createApi({
      ...box.accounts,
      engine,
      database,
      logs,
      access,
      directory,
      hub,
      log,
      traffic,
    });
  });
  after(async () => {
    hub.stop();
    await box.close();
  });

  const write = (...entries: Partial<AuditEntry>[]) =>
    writeAudit(
      box.database.intake,
      entries.map((entry) => ({ org: 1, ...plain, ...entry })),
    );
  async function ask(as: string, path: string) {
    const response = await api.request(`http://box${V1}${path}`, { headers: { "x-as": as } });
    const text = await response.text();
    const contentType = response.headers.get("content-type");
    const json =
      contentType?.includes("json") && !contentType.includes("nd") ? JSON.parse(text) : null;
    const { status } = response;
    conform({ method: "GET", path: V1 + path.replace(/\?.*/, ""), status, contentType, json });
    return { status, json, text, headers: response.headers };
  }
  const ids = async (as: string, path: string): Promise<string[]> => {
    const { status, json } = await ask(as, path);
    assert.equal(status, 200, JSON.stringify(json));
    return json.items.map((item: { object_id: string }) => item.object_id);
  };

  test("who manages an organization reads its rows, and nobody else does", async () => {
    await write(
      { objectId: "scope-own" },
      { objectId: "scope-secret", org: secret },
      { objectId: "scope-instance", org: null },
    );
    const all = "?object_kind=queue&limit=3";
    assert.deepEqual(await ids("admin", `/orgs/default/audit${all}`), ["scope-own"]);
    assert.deepEqual(await ids("admin", `/audit${all}`), ["scope-own"]);
    assert.deepEqual(await ids("root", `/audit${all}`), [
      ...["scope-instance", "scope-secret", "scope-own"],
    ]);
    assert.deepEqual(await ids("root", `/audit${all}&org=secret`), ["scope-secret"]);
    assert.deepEqual(await ids("foreigner", `/audit${all}`), ["scope-secret"]);
    for (const format of ["", "?format=csv", "?format=ndjson"]) {
      for (const as of ["operator", "viewer", "passer"]) {
        assert.equal((await ask(as, `/orgs/default/audit${format}`)).status, 403, as);
        assert.equal((await ask(as, `/audit${format}`)).status, 403, as);
      }
      const hidden = await ask("admin", `/orgs/secret/audit${format}`);
      const none = await ask("admin", `/orgs/nowhere/audit${format}`);
      assert.deepEqual([hidden.status, none.status], [404, 404]);
      assert.equal(hidden.text.replaceAll("secret", "nowhere"), none.text);
      assert.equal((await ask("admin", "/audit?org=secret")).status, 404);
      assert.equal((await ask("nobody", `/audit${format}`)).status, 401);
    }
    const { text } = await ask("admin", "/audit?format=csv");
    assert.match(text, /scope-own/);
    assert.doesNotMatch(text, /scope-secret|scope-instance/);
  });

  test("a row says who, from where, what, why and how it was", async () => {
    await write({
      ...{ objectId: "full", reason: "repairs", affected: 7 },
      ...{ before: { paused: false }, after: { paused: true } },
      author: { ...author, token: "token-1" },
    });
    const { json } = await ask("admin", "/orgs/default/audit?object_id=full");
    const [{ id, at, ...item }] = json.items;
    assert.match(id, /^\d+$/);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
    assert.deepEqual(item, {
      ...{ org: "default", actor: "Ada", person: "person-ada", token: "token-1" },
      ...{ address: "192.0.2.7", action: "queue.pause", object_kind: "queue", object_id: "full" },
      ...{ reason: "repairs", affected: 7, before: { paused: false }, after: { paused: true } },
    });
  });

  test("each filter leaves what it names", async () => {
    const other = {
      name: "Grace Hopper",
      user: "p-grace",
      token: "t-grace",
      address: "2001:db8::1",
    };
    await write(
      { objectKind: "f", objectId: "a", action: "queue.pause" },
      { objectKind: "f", objectId: "b", action: "queue.resume", author: other },
      { objectKind: "f", objectId: "c", action: "queues.pause" },
      { objectKind: "g", objectId: "a", action: "token.revoke" },
    );
    const found = async (query: string) =>
      (await ids("admin", `/orgs/default/audit?${query}`)).join("");
    assert.equal(await found("object_kind=f"), "cba");
    assert.equal(await found("object_kind=f&object_id=a"), "a");
    assert.equal(await found("object_kind=f&action=queue"), "ba");
    assert.equal(await found("object_kind=f&action=queue.pause"), "a");
    assert.equal(await found("object_kind=g&action=token"), "a");
    for (const actor of ["grace", "HOPPER", "p-grace", "t-grace", "2001:db8::1"]) {
      assert.equal(await found(`object_kind=f&actor=${encodeURIComponent(actor)}`), "b", actor);
    }
    for (const actor of ["%25", "_", "race_hop", "p-grac", "2001"]) {
      assert.equal(await found(`object_kind=f&actor=${actor}`), "", actor);
    }
    const { json } = await ask("admin", "/orgs/default/audit?object_kind=f&object_id=b");
    const at = Date.parse(json.items[0].at);
    const time = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
    assert.match(await found(`object_kind=f&from=${time(at)}`), /b/);
    assert.equal(await found(`object_kind=f&from=${time(at + 60_000)}`), "");
    assert.doesNotMatch(await found(`object_kind=f&to=${time(at)}`), /b/);
    assert.match(await found(`object_kind=f&to=${time(at + 1)}`), /b/);
    assert.equal(await found(`object_kind=f&to=${time(at - 60_000)}`), "");
  });

  test("what cannot be asked is refused with what to write instead", async () => {
    for (const [query, why] of [
      ["from=yesterday", /from: must be a time as in RFC 3339/],
      ["from=2026-02-31T99:00Z", /must be a time/],
      ["format=xml", /format/],
      ["format=csv&limit=3", /limit: cannot be used with format csv/],
      ["format=ndjson&cursor=MQ", /cursor: cannot be used with format ndjson/],
      ["limit=1001", /limit/],
      ["cursor=%00", /cursor/],
      ["who=ada", /who: is not known here/],
      ["actor=", /actor/],
    ] as const) {
      const { status, json } = await ask("admin", `/orgs/default/audit?${query}`);
      assert.equal(status, 422, query);
      assert.match(json.detail, why);
    }
  });

  test("pages follow each other without a gap or a repeat, while rows are written", async () => {
    const names = Array.from({ length: 25 }, (_, i) => `page-${i}`);
    await write(...names.map((objectId) => ({ objectKind: "paged", objectId })));
    for (const path of ["/orgs/default/audit", "/audit"]) {
      const seen: string[] = [];
      let cursor = "";
      do {
        const { json } = await ask("admin", `${path}?object_kind=paged&limit=10${cursor}`);
        seen.push(...json.items.map((item: { object_id: string }) => item.object_id));
        await write({ objectKind: "other" });
        cursor = json.next_cursor === null ? "" : `&cursor=${json.next_cursor}`;
      } while (cursor !== "");
      assert.deepEqual(seen, names.toReversed());
    }
  });

  test("what is rare is found however far back, a bounded look at a time", async () => {
    const { intake } = box.database;
    await write({ objectKind: "rare", objectId: "needle" });
    await intake`
      insert into audit_log (org_id, actor, action, object_kind, object_id)
      select 1, 'Ada', 'noise.make', 'noise', g::text from generate_series(1, ${SEARCHED_MAX * 2}) g`;
    const looks: number[] = [];
    let cursor = "";
    do {
      const { json } = await ask("admin", `/orgs/default/audit?object_kind=rare${cursor}`);
      looks.push(json.items.length);
      cursor = json.next_cursor === null ? "" : `&cursor=${json.next_cursor}`;
    } while (cursor !== "");
    assert.deepEqual(looks, [0, 0, 1]);
    const { text } = await ask("admin", "/orgs/default/audit?object_kind=rare&format=ndjson");
    assert.deepEqual(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).object_id),
      ["needle"],
    );
    const { text: csv } = await ask("admin", "/orgs/default/audit?object_kind=noise&format=csv");
    const lines = csv.trimEnd().split("\r\n").slice(1);
    assert.equal(lines.length, SEARCHED_MAX * 2);
    assert.equal(new Set(lines).size, lines.length);
  });

  test("CSV is exact, and no cell of it is a formula", async () => {
    const rows = [
      { reason: '=HYPERLINK("http://evil","x")' },
      { reason: "+1" },
      { reason: "-1" },
      { reason: "@SUM(A1)" },
      { reason: "\t=1" },
      { reason: 'two\r\nlines, and "quotes"', affected: 3 },
      { reason: "<script>alert(1)</script>", before: { a: "=1,2" }, after: null },
      { reason: "\u202Eright to left אבג" },
      { reason: " ", author: { ...author, name: "=cmd|' /C calc'!A0", user: null } },
    ];
    await write(...rows.map((row) => ({ objectKind: "csv", objectId: "x", ...row })));
    const path = "/orgs/default/audit?object_kind=csv&object_id=x";
    const { json } = await ask("admin", path);
    const { text, headers } = await ask("admin", `${path}&format=csv`);
    assert.equal(headers.get("content-type"), "text/csv; charset=utf-8");
    assert.equal(
      headers.get("content-disposition"),
      'attachment; filename="signalbox-audit-default.csv"',
    );
    const tails = [
      '192.0.2.7,queue.pause,csv,x," ",,,',
      "192.0.2.7,queue.pause,csv,x,\u202Eright to left אבג,,,",
      '192.0.2.7,queue.pause,csv,x,<script>alert(1)</script>,,"{""a"":""=1,2""}",',
      '192.0.2.7,queue.pause,csv,x,"two\r\nlines, and ""quotes""",3,,',
      "192.0.2.7,queue.pause,csv,x,'\t=1,,,",
      "192.0.2.7,queue.pause,csv,x,'@SUM(A1),,,",
      "192.0.2.7,queue.pause,csv,x,'-1,,,",
      "192.0.2.7,queue.pause,csv,x,'+1,,,",
      '192.0.2.7,queue.pause,csv,x,"\'=HYPERLINK(""http://evil"",""x"")",,,',
    ];
    const wanted = tails.map((tail, i) => {
      const { id, at } = json.items[i];
      const who = i === 0 ? "'=cmd|' /C calc'!A0,," : "Ada,person-ada,";
      return `${id},${at},default,${who},${tail}\r\n`;
    });
    const head =
      "id,at,org,actor,person,token,address,action,object_kind,object_id,reason,affected,before,after\r\n";
    assert.equal(text, head + wanted.join(""));
  });

  test("NDJSON holds the same objects as the pages, one a line", async () => {
    await write(
      { objectKind: "nd", reason: "a\nb\u2028c", before: { deep: [1, null, { x: "</script>" }] } },
      { objectKind: "nd", author: { name: "admin", user: null, token: null, address: null } },
    );
    const path = "/orgs/default/audit?object_kind=nd";
    const { json } = await ask("admin", path);
    const { text, headers } = await ask("admin", `${path}&format=ndjson`);
    assert.equal(headers.get("content-type"), "application/x-ndjson");
    const lines = text.split("\n");
    assert.equal(lines.pop(), "");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      json.items,
    );
    const nothing = await ask("admin", "/orgs/default/audit?object_kind=none&format=ndjson");
    assert.deepEqual([nothing.status, nothing.text], [200, ""]);
  });

  test("an export reads on only as its reader does, and stops when the reader leaves", async () => {
    await box.database.intake`
      insert into audit_log (org_id, actor, action, object_kind, object_id)
      select 1, 'Ada', 'bulk.make', 'bulk', g::text from generate_series(1, 5000) g`;
    const url = `http://box${V1}/orgs/default/audit?format=ndjson`;
    const response = await api.request(url, { headers: { "x-as": "admin" } });
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    const lines = new TextDecoder().decode(value).trimEnd().split("\n");
    assert.equal(lines.length, 500);
    await reader.cancel();
    assert.equal((await reader.read()).done, true);
  });

  test("a job's timeline is for whoever sees the job, and does not say from where", async () => {
    const { json: job } = await box.call("POST", JOBS, hello);
    await box.engine.cancelJob(job.id, author, "not needed");
    const path = `/jobs/${job.id}/audit`;
    for (const as of ["root", "admin", "viewer", "passer"]) {
      const { status, json, text } = await ask(as, path);
      assert.equal(status, 200, as);
      const [{ id: _, at: __, ...item }] = json.items;
      assert.deepEqual(item, {
        ...{ actor: "Ada", action: "job.cancel", object_kind: "job", object_id: job.id },
        ...{ reason: "not needed", affected: 1 },
        before: { name: "hello", queue: "default", state: "ready" },
        after: { name: "hello", queue: "default", state: "cancelled" },
      });
      assert.doesNotMatch(text, /192\.0\.2\.7|person-ada/);
    }
    assert.equal((await ask("foreigner", path)).status, 404);
    const none = await ask("foreigner", `/jobs/${crypto.randomUUID()}/audit`);
    assert.equal(none.status, 404);
    const whole = await ids("admin", `/orgs/default/audit?object_kind=job&object_id=${job.id}`);
    assert.deepEqual(whole, [job.id]);
  });

  test("every change that is asked for by API has its row, with who asked", async () => {
    const last = async () => {
      const { json } = await ask("root", "/audit?limit=1");
      const [{ actor, person, action, object_id }] = json.items;
      return { actor, person, action, object_id };
    };
    const post = async (path: string, body: object = {}) => {
      const { status, json } = await send(path, body);
      assert.ok(status < 300, `${path} ${JSON.stringify(json)}`);
      return json;
    };
    const send = async (path: string, body: object) => {
      const headers = { "x-as": "root", "content-type": "application/json" };
      const request = { method: "POST", headers, body: JSON.stringify(body) };
      const response = await api.request(`http://box${V1}${path}`, request);
      return { status: response.status, json: await response.json() };
    };
    const says = async (action: string, object_id: string) => {
      const who = { actor: "root", person: "person-root" };
      assert.deepEqual(await last(), { ...who, action, object_id });
    };
    const job = await post("/orgs/default/jobs", { ...hello, requirements: { pool: "none" } });
    await post(`/jobs/${job.id}/cancel`);
    await says("job.cancel", job.id);
    await post(`/jobs/${job.id}/retry`);
    await says("job.retry", job.id);
    await post("/orgs/default/queues/default/pause");
    await says("queue.pause", "default");
    await post("/orgs/default/queues/default/resume");
    await says("queue.resume", "default");
    await post("/admin/draining", { enabled: true });
    await says("instance.drain", "instance");
    await post("/admin/draining", { enabled: false });
    const worker = await box.worker();
    await post(`/workers/${worker.id}/drain`);
    await says("worker.drain", worker.id);
    const flow = await post("/orgs/default/workflows", {
      ...{ name: "flow", jobs: [{ key: "a", ...hello, requirements: { pool: "none" } }] },
    });
    await post(`/workflows/${flow.id}/cancel`);
    await says("operation.end", flow.id);
    await eventually(async () => {
      const { json } = await ask("root", `/workflows/${flow.id}`);
      return json.state === "cancelled";
    }, "the workflow has ended");
    const before = await last();
    assert.equal((await send(`/workflows/${flow.id}/cancel`, {})).status, 409);
    assert.deepEqual(await last(), before);
    const { operation } = await post("/orgs/default/jobs/retry", { filter: { name: "nobody" } });
    const begin = await ask("root", `/audit?object_kind=operation&object_id=${operation}`);
    assert.equal(begin.json.items.at(-1).action, "jobs.retry");
  });
});
