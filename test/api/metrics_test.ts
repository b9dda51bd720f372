import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALL_ROUTES } from "../../src/api/all_routes.ts";
import { addPerson, CookieJar } from "../support/accounts/people_rows.ts";
import { type ApiBox, apiBox, TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

const SCRAPE = "metrics-token-0123456789abcdef0123456789abcdef";
const jar = new CookieJar();
let box: ApiBox;
before(async () => {
  box = await apiBox({}, undefined, { metricsToken: SCRAPE, sessions: jar });
});
after(async () => {
  await box.close();
});

const scrape = (token: string) =>
  box.call("GET", "/metrics", undefined, { authorization: `Bearer ${token}` });

async function make(body: object, headers?: Record<string, string>) {
  return box.call("POST", `${V1}/orgs/default/tokens`, { name: "t", ...body }, headers);
}

/** The value of a line such as `name{labels} 3`. */
function figure(text: string, line: string): number | undefined {
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

test("metrics are for the server's own tokens and for tokens made for it", async () => {
  const metrics = (await make({ purpose: "metrics" })).json;
  for (const token of [SCRAPE, TOKEN, metrics.secret]) {
    const { status, text, headers } = await scrape(token);
    assert.equal(status, 200);
    assert.match(headers.get("content-type")!, /^text\/plain/);
    assert.match(text, /^process_resident_memory_bytes \d+/m);
    assert.match(text, /^signalbox_build_info\{version="/m);
    assert.ok(!text.includes(token));
  }
  const api = (await make({})).json;
  for (const token of [api.secret, "x", `${SCRAPE}x`]) {
    const { status, headers } = await scrape(token);
    assert.equal(status, 401);
    assert.match(headers.get("www-authenticate")!, /^Bearer/);
  }
  const bare = await box.fetch(new Request("http://box/metrics"));
  assert.equal(bare.status, 401);
  const [row] = await box.database
    .reads`select last_used_at from api_token where id = ${metrics.id}`;
  assert.equal(row!.last_used_at, null);
});

test("a token for metrics opens nothing else", async () => {
  const { secret } = (await make({ purpose: "metrics" })).json;
  const id = crypto.randomUUID();
  for (const token of [secret, SCRAPE]) {
    for (const { method, path } of ALL_ROUTES) {
      const url = `http://box${V1}${path.replaceAll("{org}", "default").replaceAll(/\{\w+\}/g, id)}`;
      const headers = { authorization: `Bearer ${token}` };
      const response = await box.fetch(new Request(url, { method: method.toUpperCase(), headers }));
      assert.equal(response.status, 401, `${method} ${path}`);
    }
  }
});

test("only superusers make tokens for metrics, and theirs end with their being it", async () => {
  const [org] = await box.database.reads`select id from org where name = 'default'`;
  const cookieOf = (person: string) => ({ cookie: jar.signIn(person) });
  const ask = (person: string) =>
    box.fetch(
      new Request(`http://box${V1}/orgs/default/tokens`, {
        method: "POST",
        headers: {
          ...cookieOf(person),
          "sec-fetch-site": "same-origin",
          "content-type": "application/json",
        },
        body: JSON.stringify({ name: "m", purpose: "metrics" }),
      }),
    );
  const sql = box.database.intake;
  const owner = await addPerson(sql, "owner", { roles: [[org!.id, "owner"]] });
  const refused = await ask(owner);
  assert.equal(refused.status, 403);
  assert.match((await refused.json()).detail, /only superusers/);
  const superuser = await addPerson(sql, "super", { isSuperuser: true });
  const { secret } = await (await ask(superuser)).json();
  assert.equal((await scrape(secret)).status, 200);
  await sql`update person set is_superuser = false where id = ${superuser}`;
  box.accounts.announcements.tell({ person: superuser });
  assert.equal((await scrape(secret)).status, 401);
});

test("the fleet of this server is told: workers, slots, and what they do", async () => {
  const worker = await box.worker({ concurrency: 7, name: "counted" });
  const job = { name: "metered", payload: { command: ["true"] } };
  const { json } = await box.call("POST", `${V1}/orgs/default/jobs`, job);
  await worker.take(json.id);
  const text = await eventually(async () => {
    const seen = (await scrape(SCRAPE)).text;
    return figure(seen, "signalbox_slots_used") === 1 ? seen : undefined;
  }, "a slot is used");
  assert.equal(figure(text, 'signalbox_workers{state="ready"}'), 1);
  assert.equal(figure(text, "signalbox_slots_offered"), 7);
  assert.equal(figure(text, "signalbox_database_up"), 1);
  const counted =
    'signalbox_http_requests_total{method="POST",route="/api/v1/orgs/{org}/jobs",status="201"}';
  assert.equal(figure(text, counted), 1);
});
