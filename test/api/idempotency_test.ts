import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { createIdempotency, receiptFor } from "../../src/engine/idempotency.ts";
import { accessParts } from "../support/accounts/access_parts.ts";
import { type ApiBox, apiBox, hello, JOBS, TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

let box: ApiBox;
before(async () => {
  box = await apiBox();
});
after(async () => {
  await box.close();
});

const later = { ...hello, run_at: "2999-01-01T00:00:00Z" };
const keyed = (key: string = crypto.randomUUID()) => ({ "idempotency-key": key });
const countJobs = async () => (await box.database.reads`select count(*)::int as n from job`)[0]!.n;

test("the same request with the same key gets the same answer, and happens once", async () => {
  const headers = keyed();
  const before = await countJobs();
  const first = await box.call("POST", JOBS, later, headers);
  const second = await box.call("POST", JOBS, later, headers);
  assert.deepEqual([first.status, second.status], [201, 201]);
  assert.deepEqual(second.json, first.json);
  assert.equal(first.headers.get("idempotent-replayed"), null);
  assert.equal(second.headers.get("idempotent-replayed"), "true");
  assert.equal(await countJobs(), before + 1);
});

test("another body, path or query with the same key is 422", async () => {
  const headers = keyed();
  await box.call("POST", JOBS, later, headers);
  const body = await box.call("POST", JOBS, { ...later, priority: 1 }, headers);
  assert.equal(body.status, 422);
  assert.match(body.json.type, /key_reused/);
  const path = await box.call("POST", `${JOBS}/bulk`, { jobs: [later] }, headers);
  assert.equal(path.status, 422);
});

test("fifty at once are one", async () => {
  const headers = keyed();
  const before = await countJobs();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => box.call("POST", JOBS, later, headers)),
  );
  const ids = new Set(answers.map(({ json }) => json.id));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
  assert.equal(ids.size, 1);
  assert.equal(await countJobs(), before + 1);
});

test("a refusal is an answer too, but what was never understood may be sent again", async () => {
  const headers = keyed();
  const { json: job } = await box.call("POST", JOBS, later);
  const refused = await box.call("POST", `${V1}/jobs/${job.id}/retry`, {}, headers);
  assert.equal(refused.status, 409);
  await box.call("POST", `${V1}/jobs/${job.id}/cancel`);
  const replayed = await box.call("POST", `${V1}/jobs/${job.id}/retry`, {}, headers);
  assert.deepEqual(replayed.json, refused.json);
  const typo = keyed();
  assert.equal((await box.call("POST", JOBS, { ...later, nmae: 1 }, typo)).status, 422);
  assert.equal((await box.call("POST", JOBS, later, typo)).status, 201);
});

test("a key is visible ASCII of at most 255 characters", async () => {
  for (const key of ["", "a b", "é", "x".repeat(256)]) {
    const { status, json } = await box.call("POST", JOBS, later, { "idempotency-key": key });
    assert.equal(status, 422, key);
    assert.equal(json.errors[0].in, "header");
  }
  assert.equal((await box.call("POST", JOBS, later, keyed(`"${"k".repeat(253)}"`))).status, 201);
});

test("after 24 hours a key is new, and is forgotten", async () => {
  const headers = keyed();
  const first = await box.call("POST", JOBS, later, headers);
  await age(headers["idempotency-key"], "25 hours");
  const second = await box.call("POST", JOBS, { ...later, priority: 2 }, headers);
  assert.equal(second.status, 201);
  assert.notEqual(second.json.id, first.json.id);
  await age(headers["idempotency-key"], "25 hours");
  const idempotency = createIdempotency(box.database);
  assert.ok((await idempotency.prune()) >= 1);
  assert.equal(await idempotency.prune(), 0);
});

async function age(key: string, by: string): Promise<void> {
  await box.database.beats.unsafe(
    `update idempotency_key set created_at = now() - interval '${by}' where key = $1`,
    [key],
  );
}

test("what is kept of a request tells nobody who reads the database which password was in it", async () => {
  const headers = keyed();
  const key = headers["idempotency-key"];
  const path = `${V1}/people`;
  const body = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };
  const made = await box.call("POST", path, body, headers);
  assert.equal(made.status, 201, made.text);
  const [row] = await box.database.reads`select * from idempotency_key where key = ${key}`;
  // All that whoever has the database can hash, in all the ways that we have hashed.
  const parts = ["POST", path, JSON.stringify(body)];
  const texts = [parts.map((part) => `${part.length}:${part}`).join(""), ...parts];
  for (const { algorithm, secret } of [
    ...["", row!.caller, key].map((secret) => ({ algorithm: "hmac", secret })),
    { algorithm: "plain", secret: "" },
  ]) {
    for (const text of texts) {
      const hash = algorithm === "plain" ? createHash("sha256") : createHmac("sha256", secret);
      assert.notEqual(row!.request_hash, hash.update(text).digest("hex"));
    }
  }
  assert.equal(row!.request_hash.length, 64);
  assert.doesNotMatch(JSON.stringify(row), /correct horse/);
  const again = await box.call("POST", path, body, headers);
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  const other = await box.call("POST", path, { ...body, password: "another battery" }, headers);
  assert.equal(other.status, 422);
});

test("every server with the same admin token knows a request again, and with another none does", async () => {
  const parts = ["POST", `${V1}/people`, "{}"];
  const hashOf = (key: string) => receiptFor(key, "person:1", "k", parts).hash;
  const with_ = async (adminToken: string) => {
    const { accounts } = await accessParts(adminToken, { database: box.database });
    await accounts.stop();
    return hashOf(accounts.requestKey);
  };
  assert.equal(await with_(TOKEN), hashOf(box.accounts.requestKey));
  assert.notEqual(await with_(`${TOKEN}2`), hashOf(box.accounts.requestKey));
});

// The keeper of answers itself

const request = (key: string, caller = "test") =>
  receiptFor("secret", caller, key, ["POST", "body"]);
const always = () => true;

test("who comes while the first is at work waits for its answer, or is told to come again", async () => {
  const idempotency = createIdempotency(box.database, { waitMs: 300 });
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const work = async () => {
    started.resolve();
    await gate.promise;
    return { status: 201, body: { n: 1 } };
  };
  const first = idempotency.once(request("slow"), work, always);
  await started.promise;
  const never = async () => assert.fail("worked twice");
  const impatient = await idempotency.once(request("slow"), never, always);
  assert.equal(impatient.kind, "in_progress");
  const patient = createIdempotency(box.database, { waitMs: 5_000 }).once(
    request("slow"),
    never,
    always,
  );
  gate.resolve();
  assert.deepEqual(await first, {
    kind: "answer",
    answer: { status: 201, body: { n: 1 } },
    replayed: false,
  });
  assert.deepEqual(await patient, {
    kind: "answer",
    answer: { status: 201, body: { n: 1 } },
    replayed: true,
  });
});

test("work that fails, or has no final answer, leaves the key free", async () => {
  const idempotency = createIdempotency(box.database);
  const broken = idempotency.once(request("free"), () => Promise.reject(new Error("no")), always);
  await assert.rejects(broken, /no/);
  const busy = { status: 503, body: null };
  await idempotency.once(
    request("free"),
    async () => busy,
    ({ status }) => status < 500,
  );
  const good = { status: 200, body: "done" };
  const third = await idempotency.once(request("free"), async () => good, always);
  assert.deepEqual(third, { kind: "answer", answer: good, replayed: false });
});

test("a key whose server died is taken over after a while, by the same request only", async () => {
  const name = request("dead");
  await box.database.beats`
    insert into idempotency_key (caller, key, request_hash)
    values (${name.caller}, ${name.key}, ${name.hash})`;
  const done = { status: 200, body: "again" };
  const early = createIdempotency(box.database, { waitMs: 0, abandonedMs: 60_000 });
  assert.equal((await early.once(name, async () => done, always)).kind, "in_progress");
  await age("dead", "1 minute");
  const late = createIdempotency(box.database, { abandonedMs: 50_000 });
  const other = { ...name, hash: "another" };
  assert.equal((await late.once(other, async () => done, always)).kind, "mismatch");
  const taken = await late.once(name, async () => done, always);
  assert.deepEqual(taken, { kind: "answer", answer: done, replayed: false });
});

test("a submission whose server died after its commit is answered from its receipt", async () => {
  const headers = keyed();
  const first = await box.call("POST", JOBS, later, headers);
  await forgetAnswer(headers["idempotency-key"]);
  const before = await countJobs();
  const again = await box.call("POST", JOBS, later, headers);
  assert.equal(again.status, 201);
  assert.deepEqual(again.json, first.json);
  const bulk = keyed();
  const jobs = { jobs: [later, later, later] };
  const many = await box.call("POST", `${JOBS}/bulk`, jobs, bulk);
  await forgetAnswer(bulk["idempotency-key"]);
  assert.deepEqual((await box.call("POST", `${JOBS}/bulk`, jobs, bulk)).json, many.json);
  const flow = keyed();
  const body = { name: "w", open: true, jobs: [{ ...later, key: "a" }] };
  const workflow = await box.call("POST", `${V1}/orgs/default/workflows`, body, flow);
  await forgetAnswer(flow["idempotency-key"]);
  const twin = await box.call("POST", `${V1}/orgs/default/workflows`, body, flow);
  assert.deepEqual(twin.json, workflow.json);
  const more = keyed();
  const added = { jobs: [{ ...later, key: "b" }] };
  const path = `${V1}/workflows/${workflow.json.id}/jobs`;
  const one = await box.call("POST", path, added, more);
  await forgetAnswer(more["idempotency-key"]);
  const two = await box.call("POST", path, added, more);
  assert.deepEqual([two.status, two.json], [201, one.json]);
  assert.equal(await countJobs(), before + 3 + 1 + 1);
});

/** As if the server had died between the commit and the keeping of its answer. */
async function forgetAnswer(key: string): Promise<void> {
  const kept = async () =>
    (await box.database.beats`select status, answer from idempotency_key where key = ${key}`)[0];
  const row = await eventually(async () => {
    const found = await kept();
    return found?.status === null ? undefined : found;
  }, "the answer is kept");
  const { answer } = row;
  const receipt = answer.ids
    ? answer.ids.map((id: string) => ({ id, created: true }))
    : answer.jobs
      ? { id: answer.id, jobs: answer.jobs }
      : [{ id: answer.id, created: true }];
  await box.database.beats`
    update idempotency_key set status = null, answer = ${JSON.stringify(receipt)}::text::json
    where key = ${key}`;
}

/** What a request leaves whose server dies after its commit, and before the answer is kept. */
function receiptOf(key: string, path: string, body: object) {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return receiptFor(box.accounts.requestKey, "admin", key, ["POST", path, bytes]);
}
const ADMIN = { name: "admin", user: null, token: null, address: null };

test("a stop whose server died after its commit is answered again, and ends nothing that came since", async () => {
  const queue = "stopped-once";
  const path = `${V1}/orgs/default/queues/${queue}/stop`;
  const waits = { ...later, queue };
  await box.call("POST", JOBS, waits);
  const headers = keyed();
  const body = { delay_seconds: 600, reason: "storm" };
  const stopped = await box.engine.operating.stops.begin(
    { queues: [{ org: "default", queue }] },
    { reason: body.reason, delaySeconds: body.delay_seconds },
    ADMIN,
    receiptOf(headers["idempotency-key"], path, body),
  );
  await box.call("POST", JOBS, waits);
  const again = await box.call("POST", path, body, headers);
  assert.equal(again.status, 202, again.text);
  assert.deepEqual(again.json, stopped);
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  const operations = await box.database.reads`select from operation where kind = 'stop_queues'`;
  assert.equal(operations.length, 1);
  const other = await box.call("POST", path, { ...body, delay_seconds: 1 }, headers);
  assert.equal(other.status, 422);
});

test("so is a cancel of what matches", async () => {
  const path = `${V1}/orgs/default/jobs/cancel`;
  const filter = { queue: "cancelled-once" };
  await box.call("POST", JOBS, { ...later, ...filter });
  const headers = keyed();
  const body = { filter, delay_seconds: 600 };
  const begun = await box.engine.bulk.begin(
    { kind: "cancel", org: "default", filter },
    { delaySeconds: 600 },
    ADMIN,
    receiptOf(headers["idempotency-key"], path, body),
  );
  await box.call("POST", JOBS, { ...later, ...filter });
  const again = await box.call("POST", path, body, headers);
  assert.deepEqual(
    [again.status, again.json.operation, again.json.affected],
    [202, begun.operation, 1],
  );
  const operations = await box.database.reads`select from operation where kind = 'cancel'`;
  assert.equal(operations.length, 1);
});

test("keys of one caller are not keys of another", async () => {
  const idempotency = createIdempotency(box.database);
  const answer = (n: number) => async () => ({ status: 200, body: n });
  await idempotency.once(request("shared", "a"), answer(1), always);
  const other = await idempotency.once(request("shared", "b"), answer(2), always);
  assert.equal(other.kind === "answer" && other.answer.body, 2);
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
