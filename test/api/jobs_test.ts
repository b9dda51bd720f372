import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ApiBox, apiBox, hello, JOBS, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

let box: ApiBox;
before(async () => {
  box = await apiBox();
});
after(async () => {
  await box.close();
});

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test("a submitted job is answered whole, with everything it was given and every default", async () => {
  const { status, json } = await box.call("POST", JOBS, {
    name: "build/app",
    queue: "waiting",
    payload: { command: ["make", "-j2"], env: { A: "b" }, stdin: "x" },
    priority: 7,
    requirements: { system: "x86_64-linux", features: ["kvm"], ram_mb: 100, cpus: 0.5 },
    max_attempts: 3,
    backoff: { base_seconds: 0.5 },
    timeout_seconds: 60,
    run_at: "2999-01-01T02:00:00+02:00",
    tags: { team: "core", "with space": "ü😀" },
  });
  assert.equal(status, 201);
  assert.match(json.id, /^[0-9a-f-]{36}$/);
  assert.match(json.created_at, RFC3339);
  assert.equal(json.org, "default");
  assert.equal(json.name, "build/app");
  assert.equal(json.kind, "exec");
  assert.deepEqual(json.payload, { command: ["make", "-j2"], env: { A: "b" }, stdin: "x" });
  assert.deepEqual(json.backoff, { base_seconds: 0.5, factor: 2, max_seconds: 3600 });
  assert.equal(json.run_at, "2999-01-01T00:00:00.000Z");
  assert.deepEqual(json.tags, { team: "core", "with space": "ü😀" });
  assert.deepEqual(json.requirements, {
    system: "x86_64-linux",
    features: ["kvm"],
    ram_mb: 100,
    cpus: 0.5,
  });
  assert.equal(json.state, "queued");
  assert.equal(json.waiting_for, "run_at");
  assert.equal(json.created_by, "admin");
  for (const nothing of ["worker", "result", "error", "exit_code", "finished_at", "progress"]) {
    assert.equal(json[nothing], null, nothing);
  }
  const again = await box.call("GET", `${V1}/jobs/${json.id}`);
  assert.deepEqual(again.json, json);
});

test("what is answered at once is what is read later, to the last digit", async () => {
  const numbers = [0, 1e-50, 1e-9, 0.1, 1 / 3, 1.0000001, 16_777.217, 86_399.999];
  for (const number of numbers) {
    const { json } = await box.call("POST", JOBS, {
      ...hello,
      queue: "unserved",
      requirements: { system: "nowhere", features: ["b", "a", "b"], cpus: 1 / 3 },
      backoff: { base_seconds: number, factor: 1 + number / 1_000, max_seconds: number * 7 },
      timeout_seconds: number + 0.001,
      run_at: "2020-02-29T12:34:56.123456Z",
      tags: { z: "1", aa: "2" },
    });
    assert.equal(json.state, "ready");
    const read = await box.call("GET", `${V1}/jobs/${json.id}`);
    assert.deepEqual(read.json, json, `with ${number}`);
  }
});

test("a job goes through its phases, and the API shows each of them", async () => {
  const worker = await box.worker({ name: "one" });
  const { json: queued } = await box.call("POST", JOBS, hello);
  const assignment = await worker.take(queued.id);
  const dispatched = await box.reaches(queued.id, "dispatched");
  assert.deepEqual(dispatched.worker, { id: worker.id, name: "one" });
  assert.equal(dispatched.attempt, 1);
  worker.start(assignment);
  await box.reaches(queued.id, "running");
  worker.end(assignment, { exit_code: 0, result: { answer: 42 }, run_ms: 12.5 });
  const ended = await box.reaches(queued.id, "succeeded");
  assert.deepEqual(ended.result, { answer: 42 });
  assert.equal(ended.exit_code, 0);
  assert.equal(ended.run_ms, 12.5);
  assert.deepEqual(ended.worker, { id: worker.id, name: "one" });
  const phases = ["created", "queued", "eligible", "ready", "dispatched", "started", "finished"];
  const times = phases.map((phase) => Date.parse(ended[`${phase}_at`]));
  assert.ok(
    times.every((time, i) => i === 0 || time >= times[i - 1]!),
    times.join(" "),
  );
  worker.leave();
});

test("attempts tell their times, usage and ends; the living one is last", async () => {
  const worker = await box.worker();
  const body = { ...hello, max_attempts: 2, backoff: { base_seconds: 0, max_seconds: 0 } };
  const { json: job } = await box.call("POST", JOBS, body);
  const first = await worker.take(job.id);
  worker.start(first);
  worker.end(first, {
    outcome: "failed",
    exit_code: 3,
    error: "exit 3",
    run_ms: 7,
    log_bytes: 9,
    usage: { peak_ram_mb: 1.5, oom_killed: false, source: { ram: "proc", oom: "cgroup" } },
    items: { success: 1, failed: 2, skipped: 3 },
  });
  const second = await worker.takeAfter(job.id, 1);
  worker.start(second);
  await box.reaches(job.id, "running");
  const { json } = await box.call("GET", `${V1}/jobs/${job.id}/attempts`);
  assert.equal(json.next_cursor, null);
  const [ended, living] = json.items;
  assert.equal(ended.attempt, 1);
  assert.equal(ended.outcome, "failed");
  assert.equal(ended.exit_code, 3);
  assert.equal(ended.waits.run_ms, 7);
  assert.equal(ended.usage.peak_ram_mb, 1.5);
  assert.equal(ended.usage.cpu_ms, null);
  assert.equal(ended.usage.oom_killed, false);
  assert.deepEqual(ended.usage.source, { ram: "proc", oom: "cgroup" });
  assert.deepEqual(ended.items, { success: 1, failed: 2, skipped: 3 });
  assert.equal(living.attempt, 2);
  assert.equal(living.outcome, null);
  assert.equal(living.state, "running");
  assert.equal(living.worker.id, worker.id);
  worker.end(second);
  await box.reaches(job.id, "succeeded");
  const paged = await box.call("GET", `${V1}/jobs/${job.id}/attempts?limit=1`);
  assert.deepEqual(
    paged.json.items.map((item: { attempt: number }) => item.attempt),
    [1],
  );
  const rest = await box.call(
    "GET",
    `${V1}/jobs/${job.id}/attempts?limit=1&cursor=${paged.json.next_cursor}`,
  );
  assert.deepEqual(
    rest.json.items.map((item: { attempt: number }) => item.attempt),
    [2],
  );
  assert.equal(rest.json.next_cursor, null);
  worker.leave();
});

test("phase events are told in order, each going on where the last one stood", async () => {
  const worker = await box.worker();
  const { json: job } = await box.call("POST", JOBS, hello);
  const assignment = await worker.take(job.id);
  worker.start(assignment);
  await box.reaches(job.id, "running");
  worker.end(assignment);
  await box.reaches(job.id, "succeeded");
  const { json } = await box.call("GET", `${V1}/jobs/${job.id}/events`);
  const states = json.items.map((event: { state: string }) => event.state);
  assert.deepEqual(states, ["queued", "ready", "dispatched", "running", "succeeded"]);
  for (const [i, event] of json.items.entries()) {
    assert.equal(event.from_state, i === 0 ? "created" : states[i - 1]);
    assert.match(event.at, RFC3339);
  }
  const page = await box.call("GET", `${V1}/jobs/${job.id}/events?limit=2`);
  const next = await box.call(
    "GET",
    `${V1}/jobs/${job.id}/events?limit=1000&cursor=${page.json.next_cursor}`,
  );
  assert.deepEqual([...page.json.items, ...next.json.items], json.items);
  worker.leave();
});

test("a dedupe key answers 200 with the job that has not ended", async () => {
  const body = {
    ...hello,
    queue: "waiting",
    dedupe_key: "only-one",
    run_at: "2999-01-01T00:00:00Z",
  };
  const first = await box.call("POST", JOBS, body);
  const second = await box.call("POST", JOBS, body);
  assert.equal(first.status, 201);
  assert.equal(second.status, 200);
  assert.deepEqual(second.json, first.json);
  await box.call("POST", `${V1}/jobs/${first.json.id}/cancel`);
  const third = await box.call("POST", JOBS, body);
  assert.equal(third.status, 201);
  assert.notEqual(third.json.id, first.json.id);
});

test("bulk answers ids in order, all or nothing", async () => {
  const jobs = Array.from({ length: 50 }, (_, i) => ({ ...hello, name: `bulk-${i}`, queue: "q2" }));
  const { status, json } = await box.call("POST", `${JOBS}/bulk`, { jobs });
  assert.equal(status, 201);
  assert.equal(new Set(json.ids).size, 50);
  for (const at of [0, 17, 49]) {
    const job = await box.call("GET", `${V1}/jobs/${json.ids[at]}`);
    assert.equal(job.json.name, `bulk-${at}`);
  }
  const bad = [...jobs, { ...hello, depends_on: [crypto.randomUUID()], queue: "q3" }];
  const refused = await box.call("POST", `${JOBS}/bulk`, { jobs: bad });
  assert.equal(refused.status, 422);
  assert.match(refused.json.errors[0].path, /^\/jobs\/50\/depends_on/);
  const none = await box.call("GET", `${JOBS}?name=bulk-0&state=ready&queue=q2`);
  assert.equal(none.json.items.length, 1);
});

test("cancel and retry answer the job, and 409 where its state does not allow them", async () => {
  const waiting = { ...hello, run_at: "2999-01-01T00:00:00Z" };
  const { json: job } = await box.call("POST", JOBS, waiting);
  const early = await box.call("POST", `${V1}/jobs/${job.id}/retry`);
  assert.equal(early.status, 409);
  assert.ok(early.json.detail.length > 10);
  const cancelled = await box.call("POST", `${V1}/jobs/${job.id}/cancel`, { reason: "not needed" });
  assert.equal(cancelled.status, 200);
  assert.equal(cancelled.json.state, "cancelled");
  assert.equal((await box.call("POST", `${V1}/jobs/${job.id}/cancel`)).status, 409);
  const events = await box.call("GET", `${V1}/jobs/${job.id}/events`);
  assert.match(JSON.stringify(events.json.items.at(-1)), /not needed/);
  const revived = await box.call("POST", `${V1}/jobs/${job.id}/retry`, {});
  assert.equal(revived.status, 200);
  assert.ok(["queued", "ready"].includes(revived.json.state));
  assert.equal(revived.json.finished_at, null);
  await box.call("POST", `${V1}/jobs/${job.id}/cancel`);
});

test("a running job that is cancelled shows that it was asked, then that it was acknowledged", async () => {
  const worker = await box.worker();
  const { json: job } = await box.call("POST", JOBS, hello);
  const assignment = await worker.take(job.id);
  worker.start(assignment);
  await box.reaches(job.id, "running");
  const asked = await box.call("POST", `${V1}/jobs/${job.id}/cancel`);
  assert.equal(asked.status, 200);
  assert.equal(asked.json.state, "running");
  assert.match(asked.json.cancel_requested_at, RFC3339);
  await eventually(() => worker.frames.some((frame) => frame.type === "cancel"), "cancel frame");
  const { job: id, attempt, token } = assignment;
  worker.session.handle({ type: "cancelling", jobs: [{ job: id, attempt, token }] });
  await eventually(async () => {
    return (await box.call("GET", `${V1}/jobs/${job.id}`)).json.cancel_acknowledged_at;
  }, "acknowledged");
  worker.end(assignment, { outcome: "cancelled" });
  await box.reaches(job.id, "cancelled");
  worker.leave();
});

test("why a job waits names what it needs", async () => {
  const worker = await box.worker();
  const { json: job } = await box.call("POST", JOBS, {
    ...hello,
    requirements: { features: ["quantum-gpu-77"] },
  });
  await eventually(async () => {
    const { status, text } = await box.call("GET", `${V1}/jobs/${job.id}/explain`);
    return status === 200 && text.includes("quantum-gpu-77");
  }, "named");
  worker.leave();
});

test("what does not exist is 404, whatever is asked of it", async () => {
  const id = "0198c0de-8f00-7abc-8def-0123456789ab";
  const paths = ["", "/attempts", "/events", "/explain", "/log", "/log/stream"];
  for (const path of paths) {
    const { status, json } = await box.call("GET", `${V1}/jobs/${id}${path}`);
    assert.equal(status, 404, path);
    assert.equal(json.title, "Not found");
  }
  for (const verb of ["cancel", "retry"]) {
    assert.equal((await box.call("POST", `${V1}/jobs/${id}/${verb}`)).status, 404);
  }
  assert.equal((await box.call("POST", `${V1}/orgs/nobody/jobs`, hello)).status, 404);
  assert.equal((await box.call("GET", `${V1}/orgs/nobody/jobs`)).status, 404);
  assert.equal((await box.call("GET", `${JOBS}?queue=no-such-queue`)).status, 404);
  assert.equal((await box.call("GET", `${JOBS}?workflow=${id}`)).status, 404);
  assert.equal((await box.call("GET", `${JOBS}?worker=${id}`)).status, 404);
});

test("an id in capitals is the same id", async () => {
  const { json } = await box.call("POST", JOBS, { ...hello, queue: "waiting" });
  const again = await box.call("GET", `${V1}/jobs/${json.id.toUpperCase()}`);
  assert.equal(again.json.id, json.id);
});

test("cancelling all that match is an operation; dry_run only counts", async () => {
  const jobs = Array.from({ length: 30 }, () => ({
    ...hello,
    queue: "doomed",
    run_at: "2999-01-01T00:00:00Z",
  }));
  await box.call("POST", `${JOBS}/bulk`, { jobs });
  const filter = { queue: "doomed" };
  const dry = await box.call("POST", `${JOBS}/cancel`, { filter, dry_run: true });
  assert.deepEqual(
    [dry.status, dry.json],
    [
      202,
      {
        ...{ operation: null, affected: 30, complete: true },
        queues: [{ name: "doomed", affected: 30 }],
      },
    ],
  );
  const real = await box.call("POST", `${JOBS}/cancel`, { filter, reason: "clean up" });
  assert.equal(real.status, 202);
  assert.equal(real.json.affected, 30);
  const done = await eventually(async () => {
    const { json } = await box.call("GET", `${V1}/operations/${real.json.operation}`);
    return json.state === "done" ? json : undefined;
  }, "done");
  assert.equal(done.done, 30);
  assert.equal(done.reason, "clean up");
  assert.equal(done.actor, "admin");
  const left = await box.call("GET", `${JOBS}?queue=doomed&state=cancelled&limit=100`);
  assert.equal(left.json.items.length, 30);
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
