import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type ApiBox, apiBox, hello, JOBS, TOKEN, V1 } from "../support/api_box.ts";

let box: ApiBox;
let waiting: string;
before(async () => {
  box = await apiBox();
  const { json } = await box.call("POST", JOBS, { ...hello, run_at: "2999-01-01T00:00:00Z" });
  waiting = json.id;
});
after(async () => {
  await box.close();
});

const later = { ...hello, run_at: "2999-01-01T00:00:00Z" };
const NUL = "a\u0000b";
const LONE = "a\ud800b";
const deep = (levels: number) => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = { a: value };
  return value;
};
const deepText = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

/** What must not stand in any field of a job. */
const WRONG: Record<string, unknown[]> = {
  name: [undefined, null, "", 7, {}, [], true, " a", "-a", "a b", "ä", "a".repeat(129), NUL, LONE],
  queue: ["", "Upper", "a".repeat(64), "a/b", 1, null, {}, "-a", NUL],
  kind: ["shell", "EXEC", 1, null, ""],
  payload: [undefined, null, 1, "x", [], {}, { command: [] }, { command: "ls" }, { command: [1] }],
  priority: [101, -101, 1.5, "1", null, 1e308, {}, true],
  requirements: [1, [], { gpu: 1 }, { features: "kvm" }, { ram_mb: 0 }, { cpus: -1 }, { pool: "" }],
  max_attempts: [0, -1, 1.5, 1001, "3", null, 1e308],
  backoff: [1, { base_seconds: -1 }, { factor: 0.5 }, { max_seconds: 1e9 }, { base: 1 }],
  timeout_seconds: [0, -1, "5", 1e12, null],
  run_at: ["", "tomorrow", "2026-02-30T00:00:00Z", "2026-01-01", 0, null, NUL],
  depends_on: ["x", ["x"], [1], [null], {}, [[]]],
  dedupe_key: ["", 1, null, "a".repeat(257)],
  tags: [1, [], { a: 1 }, { a: null }, { "": "x" }, { [`${"k".repeat(65)}`]: "x" }],
  unknown: [1, null],
  constructor: [1],
  toString: [1],
};

test("every field of a job refuses what it is not, names itself, and nothing is stored", async () => {
  const [before] = await box.database.reads`select count(*)::int as n from job`;
  for (const [field, values] of Object.entries(WRONG)) {
    for (const value of values) {
      const { status, json, text } = await box.call("POST", JOBS, { ...later, [field]: value });
      const what = `${field} = ${JSON.stringify(value)?.slice(0, 60)}: ${text.slice(0, 300)}`;
      assert.equal(status, 422, what);
      const paths = json.errors.map((error: { path: string }) => error.path);
      assert.ok(
        paths.some((path: string) => path.startsWith(`/${field}`)),
        what,
      );
    }
  }
  const [after] = await box.database.reads`select count(*)::int as n from job`;
  assert.equal(after?.n, before?.n);
});

test("a key called __proto__ is a key like any other: unknown, or kept as data", async () => {
  const own = `{"name":"x","__proto__":{"admin":true},"payload":{"command":["a"]}}`;
  const refused = await box.call("POST", JOBS, own);
  assert.equal(refused.status, 422);
  assert.match(refused.text, /__proto__/);
  const data = `{"name":"x","kind":"handler","run_at":"2999-01-01T00:00:00Z",
    "payload":{"__proto__":{"a":1},"constructor":{"prototype":1}}}`;
  const { json } = await box.call("POST", JOBS, data);
  const kept = await box.call("GET", `${V1}/jobs/${json.id}`);
  assert.match(kept.text, /"__proto__":\{"a":1\}/);
  assert.equal(({} as Record<string, unknown>).admin, undefined);
});

test("NUL and lone surrogates in a payload and in tags are replaced, wherever they stand", async () => {
  const body = {
    ...later,
    kind: "handler",
    payload: { [NUL]: [NUL, { x: LONE }], ok: "😀" },
    tags: { [LONE]: NUL },
    dedupe_key: NUL,
  };
  const { status, json } = await box.call("POST", JOBS, body);
  assert.equal(status, 201);
  assert.deepEqual(json.payload, { "a\ufffdb": ["a\ufffdb", { x: "a\ufffdb" }], ok: "😀" });
  assert.deepEqual(json.tags, { "a\ufffdb": "a\ufffdb" });
  assert.equal(json.dedupe_key, "a\ufffdb");
});

test("a payload has its bounds in bytes and depth", async () => {
  const handler = { ...later, kind: "handler" };
  const sized = (bytes: number) => ({ ...handler, payload: "x".repeat(bytes - 2) });
  assert.equal((await box.call("POST", JOBS, sized(256 * 1024))).status, 201);
  assert.equal((await box.call("POST", JOBS, sized(256 * 1024 + 1))).status, 422);
  assert.equal(
    (await box.call("POST", JOBS, { ...handler, payload: "é".repeat(131_072) })).status,
    422,
  );
  assert.equal((await box.call("POST", JOBS, { ...handler, payload: deep(64) })).status, 201);
  assert.equal((await box.call("POST", JOBS, { ...handler, payload: deep(65) })).status, 422);
  for (const levels of [100, 10_000, 1_000_000]) {
    const body = `{"name":"x","kind":"handler","payload":${deepText(levels)}}`;
    const { status } = await box.call("POST", JOBS, body);
    assert.ok([400, 422].includes(status), `${levels}: ${status}`);
  }
});

test("a body is JSON in UTF-8 of at most 32 MiB, and says so", async () => {
  const send = async (body: BodyInit | null, type: string | null = "application/json") => {
    const headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` };
    if (type !== null) headers["content-type"] = type;
    return (await box.fetch(new Request(`http://box${JOBS}`, { method: "POST", headers, body })))
      .status;
  };
  const good = JSON.stringify(later);
  assert.equal(await send(good), 201);
  assert.equal(await send(good, "application/json; charset=utf-8"), 201);
  for (const text of ["", "{", "{'a':1}", "NaN", "{} {}", good.slice(0, -1), "\ufeff\ufeff{}"]) {
    assert.equal(await send(text), 400, text);
  }
  for (const text of ["[]", "1", '"x"', "null", "true"]) assert.equal(await send(text), 422, text);
  assert.equal(await send(new Uint8Array([0x22, 0xff, 0xfe, 0x22])), 400);
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "x",
  ]) {
    assert.equal(await send(good, type), 415, type);
  }
  assert.equal(await send(new TextEncoder().encode(good), null), 415);
});

test("32 MiB are taken, more are refused, declared or not", async () => {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const post = (body: BodyInit, more = {}) =>
    box.fetch(
      new Request(`http://box${JOBS}/bulk`, {
        method: "POST",
        headers: { ...headers, ...more },
        body,
      }),
    );
  const spaces = new Uint8Array(32 * 1024 * 1024).fill(32);
  spaces.set(new TextEncoder().encode(JSON.stringify({ jobs: [later] })));
  assert.equal((await post(spaces)).status, 201);
  const endless = () => {
    let sent = 0;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        controller.enqueue(spaces.subarray(0, 1024 * 1024));
        if (sent > 64) controller.error(new Error("nobody stopped me"));
      },
    });
  };
  const over = await post(endless(), { duplex: "half" });
  assert.equal(over.status, 413);
  assert.match((await over.json()).detail, /32 MiB/);
  const declared = await post("{}", { "content-length": String(33 * 1024 * 1024) });
  assert.equal(declared.status, 413);
});

test("a path holds a uuid or nothing", async () => {
  const tricks = [
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "1",
    "null",
    "undefined",
    waiting.slice(1),
    `${waiting}%00`,
    `${waiting}%0a`,
    `${waiting}'--`,
    `{${waiting}}`,
    `urn:uuid:${waiting}`,
    waiting.replaceAll("-", ""),
    "%",
    "%ff",
    "a".repeat(4000),
  ];
  for (const trick of tricks) {
    for (const rest of ["", "/log", "/attempts"]) {
      const { status } = await box.call("GET", `${V1}/jobs/${trick}${rest}`);
      assert.ok([400, 404, 422].includes(status), `${trick}${rest}: ${status}`);
    }
  }
  const orgs = ["%2e%2e", "Default", "%00", "a%00", "default%20", "%ff", "a".repeat(64), "';--"];
  for (const org of orgs) {
    const { status } = await box.call("GET", `${V1}/orgs/${org}/jobs`);
    assert.ok([404, 422].includes(status), `${org}: ${status}`);
  }
});

test("a query is refused where it is unknown, twice, or out of bounds", async () => {
  const queries = [
    "limit=0",
    "limit=1001",
    "limit=-1",
    "limit=1e2",
    "limit=%201",
    "limit=",
    "limit=1&limit=2",
    "state=done",
    "state=",
    "queue=UP",
    "queue=a&queue=b",
    "name=",
    "workflow=x",
    "worker=x",
    "tag=novalue",
    "tag=:x",
    `tag=${"k".repeat(65)}:x`,
    "created_after=yesterday",
    "created_after=2026-01-01",
    "cursor=%00",
    `q=${"x".repeat(4_001)}`,
    "nonsense=1",
    "__proto__=1",
    "constructor=1",
    "State=ready",
  ];
  for (const query of queries) {
    const { status, json } = await box.call("GET", `${JOBS}?${query}`);
    assert.equal(status, 422, query);
    assert.equal(json.errors[0].in, "query", query);
  }
  for (const q of ["%27%3b--", "%25", "_", "%5c", "%00", "%ed%a0%80", "%F0%9F%98%80"]) {
    assert.equal((await box.call("GET", `${JOBS}?q=${q}`)).status, 200, q);
    assert.equal((await box.call("GET", `${JOBS}?tag=a:${q}`)).status, 200, q);
  }
});

test("noise in any request is an answer below 500, and a problem where it is refused", {
  timeout: 30_000,
}, async () => {
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom(NUL, LONE, deep(80), 1e308, -0, 2 ** 53));
  const job = fc.record(
    {
      name: fc.oneof(fc.constant("x"), values),
      queue: values,
      kind: fc.oneof(fc.constantFrom("exec", "handler"), values),
      payload: values,
      priority: values,
      requirements: values,
      max_attempts: values,
      backoff: values,
      run_at: fc.constant("2999-01-01T00:00:00Z"),
      depends_on: values,
      tags: values,
    },
    { requiredKeys: ["run_at"] },
  );
  const posts = fc.constantFrom(
    JOBS,
    `${JOBS}/bulk`,
    `${JOBS}/cancel`,
    `${V1}/orgs/default/workflows`,
    `${V1}/jobs/${waiting}/retry`,
    `${V1}/orgs/default/queues/default/resume`,
    `${V1}/workers/${waiting}/drain`,
  );
  const body = fc.oneof(
    job,
    fc.record({ jobs: fc.array(job, { maxLength: 3 }) }),
    fc.record({ name: fc.constant("w"), jobs: fc.array(job, { maxLength: 3 }) }),
    fc.record({ filter: values, dry_run: fc.constant(true) }),
    values,
  );
  await fc.assert(
    fc.asyncProperty(posts, body, async (path, value) => {
      const { status, json, headers } = await box.call("POST", path, JSON.stringify(value) ?? "");
      assert.ok(status < 500, `${path} ${JSON.stringify(value)} → ${status}`);
      if (status < 400) return;
      assert.equal(headers.get("content-type"), "application/problem+json");
      assert.equal(json.status, status);
    }),
    { numRuns: 300 },
  );
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
