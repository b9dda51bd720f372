import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { type ApiBox, apiBox, hello, JOBS, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

const DAY = 86_400_000;
let box: ApiBox;
before(async () => {
  box = await apiBox();
});
after(async () => {
  assert.deepEqual(box.faults, []);
  await box.close();
});

const ADMIN = `${V1}/admin`;
const bytes = (text: string) => new TextEncoder().encode(text);

async function taskIsOver(id: string) {
  return eventually(async () => {
    const { json } = await box.call("GET", `${ADMIN}/tasks/${id}`);
    return json.state === "running" ? undefined : json;
  }, "the clean-up is over");
}

test("storage is told by table, with what the settings keep and what that will take", async () => {
  await box.database
    .beats`insert into org (name) select 'many-' || n from generate_series(1, 50) n`;
  await box.call("POST", JOBS, { ...hello, run_at: "2999-01-01T00:00:00Z" });
  await box.logs.append(uuidv7(), 1, 0, bytes("hello\n"));
  const { status, json } = await box.call("GET", `${ADMIN}/storage`);
  assert.equal(status, 200);
  assert.ok(json.database_bytes > 1_000_000);
  const of = (name: string) => json.tables.find((one: { table: string }) => one.table === name);
  const events = of("phase_event");
  assert.equal(events.kept_days, 14);
  assert.equal(events.partitions, 9);
  assert.equal(events.oldest_day, new Date().toISOString().slice(0, 10));
  assert.ok(events.bytes_a_day > 0);
  assert.ok(Math.abs(events.expected_bytes - events.bytes_a_day * 14) < 14);
  const sum = events.heap_bytes + events.toast_bytes + events.index_bytes;
  assert.equal(events.total_bytes, sum);
  assert.deepEqual(
    [of("org").partitions, of("org").kept_days, of("org").oldest_day],
    [0, null, null],
  );
  assert.equal(json.tables.filter((one: { table: string }) => /\d{8}$/.test(one.table)).length, 0);
  const sizes = json.tables.map((one: { total_bytes: number }) => one.total_bytes);
  assert.deepEqual(
    sizes,
    [...sizes].sort((a, b) => b - a),
  );
  assert.deepEqual([json.logs.files, json.logs.bytes, json.logs.kept_days], [1, 6, 30]);
  const again = await box.call("GET", `${ADMIN}/storage`);
  assert.equal(again.json.at, json.at, "one look serves all for some seconds");
});

test("the deep clean-up removes what nobody has, clears what is not there, and leaves what is young", async () => {
  const worker = await box.worker();
  const run = async (wait = false) => {
    const { json } = await box.call("POST", JOBS, hello);
    const lease = await worker.take(json.id);
    worker.start(lease);
    await box.logs.append(json.id, lease.attempt, 0, bytes("said\n"));
    if (!wait) worker.end(lease, { log_bytes: 5 });
    await box.reaches(json.id, wait ? "running" : "succeeded");
    return json.id as string;
  };
  const [kept, lost] = [await run(), await run()];
  const running = await run(true);
  await box.logs.remove(lost, 1);
  const old = uuidv7({ msecs: Date.now() - 3 * DAY });
  const young = uuidv7();
  for (const id of [old, young]) await box.logs.append(id, 1, 0, bytes("orphan\n"));
  await box.database.beats`insert into person (id, name, email) values ('p', 'P', 'p@example.org')`;
  await box.database.beats`insert into person_session (id, user_id, token, expires_at) values
    ('old', 'p', 'a', now() - interval '1 second'), ('young', 'p', 'b', now() + interval '1 hour')`;
  await box.database.beats`insert into verification (id, identifier, value, expires_at)
    values ('v', 'i', 'v', now() - interval '1 hour')`;
  await box.database
    .beats`insert into worker (uid, name, pool) values (gen_random_uuid(), 'w', 'p')`;
  await box.database.beats`
    insert into worker_connection (worker_id, replica_id, lease_until, concurrency, facts)
    select max(id), gen_random_uuid(), now() - interval '2 hours', 1, '{}' from worker`;
  const begun = await box.call("POST", `${ADMIN}/deep-gc`, { reason: "spring" });
  assert.equal(begun.status, 202);
  const task = await taskIsOver(begun.json.id);
  assert.equal(task.error, null);
  assert.deepEqual([task.state, task.reason, task.created_by], ["done", "spring", "admin"]);
  const pass = (name: string) => task.passes.find((one: { pass: string }) => one.pass === name);
  // Files are as young as this test: only their age keeps the orphan.
  assert.equal(pass("orphan_logs").removed, 0);
  assert.ok(pass("orphan_logs").scanned >= 4);
  assert.equal(pass("sessions").removed >= 2, true, JSON.stringify(pass("sessions")));
  const [session] = await box.database.beats`select count(*)::int as n from person_session`;
  assert.equal(session!.n, 1);
  for (const id of [kept, running]) assert.ok((await box.logs.size(id, 1)) > 0);
  const { json: list } = await box.call("GET", `${ADMIN}/tasks`);
  assert.equal(list.items[0].id, begun.json.id);
  const { json: log } = await box.call("GET", `${V1}/audit?object_kind=task`);
  assert.deepEqual(
    log.items.map((row: { action: string }) => row.action),
    ["task.end", "instance.deep_gc"],
  );
  assert.equal((await box.call("GET", `${ADMIN}/tasks/${uuidv7()}`)).status, 404);
});

test("draining says who, why and what still runs, and ends as it was asked", async () => {
  const worker = await box.worker({ name: "drained", pool: "drained" });
  const inPool = { ...hello, requirements: { pool: "drained" } };
  const { json: job } = await box.call("POST", JOBS, inPool);
  const lease = await worker.take(job.id);
  worker.start(lease);
  await box.reaches(job.id, "running");
  const on = await box.call("POST", `${ADMIN}/draining`, { enabled: true, reason: "new disks" });
  assert.equal(on.status, 200);
  const { json } = await box.call("GET", `${ADMIN}/draining`);
  assert.deepEqual([json.enabled, json.by, json.reason], [true, "admin", "new disks"]);
  const [shown] = json.running.filter((one: { worker: string }) => one.worker === "drained");
  assert.deepEqual([shown.job, shown.name, shown.org], [job.id, "hello", "default"]);
  assert.ok(json.total >= 1);
  const { json: waits } = await box.call("POST", JOBS, inPool);
  const why = await box.call("GET", `${V1}/jobs/${waits.id}/explain`);
  assert.equal(why.json.vetoes[0].rule, "instance_draining");
  assert.match(why.json.vetoes[0].sentence, /being drained by admin since .* \(new disks\)/);
  worker.end(lease);
  await box.reaches(job.id, "succeeded");
  assert.equal((await box.call("GET", `${V1}/jobs/${waits.id}`)).json.state, "ready");
  const off = await box.call("POST", `${ADMIN}/draining`, { enabled: false });
  assert.deepEqual([off.json.enabled, off.json.by, off.json.reason], [false, null, null]);
  worker.end(await worker.take(waits.id));
  await box.reaches(waits.id, "succeeded");
});

test("details that retention has taken are gone, and what is left still answers", async () => {
  const worker = await box.worker({ name: "past", pool: "past" });
  const { json: job } = await box.call("POST", JOBS, { ...hello, requirements: { pool: "past" } });
  const lease = await worker.take(job.id);
  worker.end(lease, { log_bytes: 9 });
  await box.reaches(job.id, "succeeded");
  const log = await box.call("GET", `${V1}/jobs/${job.id}/log`);
  assert.equal(log.status, 410);
  assert.equal(log.json.detail, "This log: removed by retention after 30 days.");
  await box.database.beats`delete from dispatched_job where job_id = ${job.id}`;
  await box.database.beats`delete from phase_event where job_id = ${job.id}`;
  for (const path of ["log", "log?tail=5", "attempts", "events", "explain?attempt=1"]) {
    const { status, json } = await box.call("GET", `${V1}/jobs/${job.id}/${path}`);
    assert.equal(status, 410, path);
    assert.match(json.detail, /removed by retention after (14|30) days/);
  }
  assert.equal((await box.call("GET", `${V1}/jobs/${job.id}/explain?attempt=2`)).status, 404);
  assert.equal((await box.call("GET", `${V1}/jobs/${job.id}`)).json.state, "succeeded");
});
