/** An export of the audit log breaks with the credential that asked for it, on a real connection. */
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import type { Role } from "../../src/core/scope.ts";
import type { Sql } from "../../src/db/client.ts";
import type { HttpServer } from "../../src/runtime/contract.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { addOrg, addPerson, CookieJar, setRole } from "../support/accounts/people_rows.ts";
import { type ApiBox, apiBox, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

/** The promise, and some room for a loaded machine. */
const PROMISED_MS = 1_000;
const jar = new CookieJar();
let box: ApiBox;
let sql: Sql;
let acme: number;
let server: HttpServer;
let address: string;

before(async () => {
  box = await apiBox({}, undefined, { sessions: jar });
  sql = box.database.intake;
  acme = await addOrg(sql, "acme");
  await eventually(() => box.directory.byName("acme"), "the organization is known");
  server = await runtime.serve({
    ...{ host: "127.0.0.1", port: 0, maxFrameBytes: 1_000 },
    fetch: (request) => box.fetch(request),
  });
  address = `127.0.0.1:${server.port}`;
});
after(async () => {
  await server.stop(true);
  await box.close();
});

async function makeToken() {
  const { json } = await box.call("POST", `${V1}/orgs/acme/tokens`, { name: "t" });
  return { id: json.id as string, headers: { authorization: `Bearer ${json.secret}` } };
}

async function person(role: Role) {
  const id = await addPerson(sql, role, { roles: [[acme, role]] });
  return { id, cookie: jar.signIn(id) };
}

async function endsWithin(act: () => Promise<unknown>, isOver: () => boolean): Promise<void> {
  assert.equal(isOver(), false);
  await act();
  await eventually(isOver, "it ends", { everyMs: 5, deadlineMs: PROMISED_MS });
}

/** An export that is under way, of more than any buffer on its way holds; read on by `rest`. */
async function exporting(headers: Record<string, string>, format: string) {
  const before = box.accounts.watched;
  const socket = net.connect(server.port, "127.0.0.1");
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const path = `${V1}/orgs/acme/audit?object_kind=big&format=${format}`;
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${address}\r\n${lines.join("")}\r\n`);
  const parts: Uint8Array[] = [];
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  socket.on("error", () => {});
  await new Promise<void>((done) =>
    socket.once("data", (data: Uint8Array) => {
      socket.pause();
      parts.push(data);
      done();
    }),
  );
  assert.match(Buffer.from(parts[0]!).toString(), /^HTTP\/1\.1 200/);
  assert.equal(box.accounts.watched, before + 1);
  return {
    isCut: () => box.accounts.watched === before,
    rest: async (): Promise<string> => {
      socket.on("data", (data: Uint8Array) => parts.push(data));
      socket.resume();
      await closed;
      return Buffer.concat(parts).toString();
    },
  };
}

describe("an export of the audit log breaks within a second", () => {
  before(async () => {
    await sql`
      insert into audit_log (org_id, actor, action, object_kind, object_id, reason)
      select ${acme}, 'Ada', 'queue.pause', 'big', g::text, repeat('x', 20000)
      from generate_series(1, 4000) g`;
  });
  /** Whoever reads on sees that it broke: no chunk says that it was all. */
  function isPart(text: string): void {
    assert.doesNotMatch(text.slice(-100), /\r\n0\r\n\r\n$/);
    assert.ok(text.length < 4000 * 20_000, "it stops where it was");
  }

  test("of the revocation of its token, and others go on to their end", async () => {
    const [token, neighbour] = [await makeToken(), await makeToken()];
    for (const format of ["csv", "ndjson"]) {
      const { id, headers } = format === "csv" ? token : await makeToken();
      const cut = await exporting(headers, format);
      await endsWithin(() => box.call("DELETE", `${V1}/orgs/acme/tokens/${id}`), cut.isCut);
      isPart(await cut.rest());
    }
    const whole = await exporting({ ...neighbour.headers, connection: "close" }, "ndjson");
    await box.call("DELETE", `${V1}/orgs/acme/tokens/${token.id}`);
    const text = await whole.rest();
    assert.match(text.slice(-100), /\r\n0\r\n\r\n$/);
    assert.ok(text.length > 4000 * 20_000);
    await eventually(whole.isCut, "nobody is watched");
  });

  test("of its session's end, and of a change of role", async () => {
    for (const end of ["session", "role", "removal"] as const) {
      const { id, cookie } = await person("admin");
      const cut = await exporting({ cookie }, "ndjson");
      await endsWithin(async () => {
        if (end === "session") {
          jar.signOut(cookie);
          box.accounts.announcements.tell({ session: cookie });
        } else await setRole(sql, id, acme, end === "role" ? "viewer" : null);
      }, cut.isCut);
      isPart(await cut.rest());
    }
  });

  test("in the hands of whoever reads with fetch, as an error", async () => {
    const { id, headers } = await makeToken();
    const url = `http://${address}${V1}/orgs/acme/audit?object_kind=big&format=ndjson`;
    const response = await fetch(url, { headers });
    const reader = response.body!.getReader();
    await reader.read();
    await box.call("DELETE", `${V1}/orgs/acme/tokens/${id}`);
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    });
  });
});
