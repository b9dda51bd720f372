import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type ApiBox, apiBox, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

const ALL = `${V1}/orgs/default/schedules`;
const JOB = { name: "report", queue: "reports", payload: { command: ["true"] } };
/** Not due while a test runs. */
const YEARLY = "0 0 29 2 *";
let box: ApiBox;
let name = "";
let count = 0;

before(async () => {
  box = await apiBox();
});
after(async () => {
  assert.deepEqual(box.faults, []);
  await box.close();
});
beforeEach(() => {
  name = `s${++count}`;
});

async function make(more: object = {}) {
  const { status, json } = await box.call("POST", ALL, { name, cron: YEARLY, job: JOB, ...more });
  assert.equal(status, 201, JSON.stringify(json));
  return json;
}
const refused = async (more: object) => {
  const body = { name, cron: YEARLY, job: JOB, ...more };
  const { status, json } = await box.call("POST", ALL, body);
  assert.equal(status, 422, JSON.stringify(json));
  return json.errors.map(({ path, message }: { path: string; message: string }) => {
    return `${path} ${message}`;
  });
};
const audited = (id: string) =>
  box.database.intake`select * from audit_log where object_id = ${id} order by id`;

describe("a schedule", () => {
  test("is answered with its rule in words, its next runs, and what was left out", async () => {
    const made = await make({ cron: "30 2 * * *", time_zone: "Europe/Berlin", vendor_type: "X" });
    assert.equal(made.words, "At 02:30 every day");
    assert.equal(made.next_runs.length, 5);
    for (const at of made.next_runs.slice(0, 2)) assert.match(at, /T0[01]:30:00.000Z$/);
    assert.equal(made.next_fire_at, made.next_runs[0]);
    assert.deepEqual([made.overlap, made.catch_up, made.jitter_seconds], ["skip", "last", 0]);
    assert.deepEqual(made.submits, { kind: "job", name: "report", queue: "reports" });
    assert.deepEqual(made.job.payload, JOB.payload);
    assert.deepEqual([made.created_by, made.last_outcome, made.vendor_type], ["admin", null, "X"]);
    const { json } = await box.call("GET", `${ALL}/${made.id}`);
    assert.deepEqual(json, made);
  });

  test("that is wrong is refused with a sentence for each field", async () => {
    assert.deepEqual(await refused({ cron: "61 * * * *" }), [
      '/cron "61" is no minute: write 0 to 59; * for every one, a list (1,2), a range (1-5), or a step (*/2, 1-9/2)',
    ]);
    assert.match((await refused({ time_zone: "Mars" }))[0], /^\/time_zone "Mars" is no time zone/);
    assert.match((await refused({ job: null }))[0], /^\/job is missing: say what to submit/);
    const flow = { name: "f", jobs: [{ key: "a", ...JOB, depends_on: ["b"] }] };
    assert.match((await refused({ workflow: flow }))[0], /^\/workflow stands beside a job/);
    const unknown = await refused({ job: null, workflow: flow });
    assert.match(unknown[0], /^\/workflow\/jobs\/0\/depends_on\/0 /);
    assert.deepEqual(await refused({ job: { ...JOB, run_at: "2030-01-01T00:00:00Z" } }), [
      "/job/run_at is not known here",
    ]);
    // Replacing would cancel the run before, and the new one would be that.
    const keyed = [
      { job: { ...JOB, dedupe_key: "one" }, overlap: "replace" },
      { job: null, workflow: { name: "f", jobs: [{ key: "a", ...JOB, dedupe_key: "one" }] } },
    ];
    for (const [at, path] of ["/job", "/workflow/jobs/0"].entries()) {
      const said = await refused(keyed[at]!);
      assert.match(
        said.join(),
        new RegExp(`^${path}/dedupe_key is not for a schedule.* leave it out`),
      );
    }
    assert.match((await refused({ overlap: "pile" }))[0], /^\/overlap /);
    assert.match((await refused({ job: { ...JOB, payload: {} } }))[0], /^\/job\/payload\/command/);
    await make();
    assert.match(
      (await refused({}))[0],
      /^\/name There is a schedule s\d+ already: choose another/,
    );
  });

  test("is changed in what is named, and begins anew with a new rule", async () => {
    const { id } = await make({ description: "old" });
    const path = `${ALL}/${id}`;
    const { status, json } = await box.call("PATCH", path, { cron: "0 5 * * *", overlap: "queue" });
    assert.equal(status, 200);
    assert.deepEqual(
      [json.words, json.overlap, json.description],
      ["At 05:00 every day", "queue", "old"],
    );
    const flow = { name: "f", jobs: [{ key: "a", ...JOB }] };
    const changed = await box.call("PATCH", path, { workflow: flow });
    assert.deepEqual([changed.json.job, changed.json.submits.kind], [null, "workflow"]);
    assert.equal((await box.call("PATCH", path, { cron: "x" })).status, 422);
    assert.equal((await box.call("PATCH", path, { paused: true })).status, 422);
    await box.call("PATCH", path, { overlap: "queue" });
    const rows = await audited(id);
    assert.deepEqual(
      rows.map((row) => row.action),
      ["schedule.create", "schedule.update", "schedule.update"],
    );
    assert.deepEqual(rows[1]!.before, { name, cron: YEARLY, overlap: "skip" });
    assert.deepEqual(rows[1]!.after, { name, cron: "0 5 * * *", overlap: "queue" });
    assert.ok(!JSON.stringify(rows).includes("command"), "what jobs are given is in no log");
  });

  test("says in the audit log why it was made and changed, where somebody said so", async () => {
    const { id } = await make({ reason: "asked for in a ticket" });
    await box.call("PATCH", `${ALL}/${id}`, { cron: "0 5 * * *", reason: "too early" });
    await box.call("PATCH", `${ALL}/${id}`, { description: "reports" });
    assert.deepEqual(
      (await audited(id)).map((row) => row.reason),
      ["asked for in a ticket", "too early", null],
    );
  });

  test("is removed, and is not there any more", async () => {
    const { id } = await make();
    const removed = await box.call("DELETE", `${ALL}/${id}`, { reason: "done with it" });
    assert.deepEqual([removed.status, removed.json.name], [200, name]);
    for (const method of ["GET", "DELETE"]) {
      assert.equal((await box.call(method, `${ALL}/${id}`)).status, 404);
    }
    assert.equal((await box.call("POST", `${ALL}/${id}/pause`)).status, 404);
    assert.equal((await audited(id)).at(-1)!.reason, "done with it");
  });

  test("is paused and resumed once, with who and why", async () => {
    const { id } = await make();
    const act = async (what: string) => {
      const { status, json } = await box.call("POST", `${ALL}/${id}/${what}`, { reason: "why" });
      assert.equal(status, 200, JSON.stringify(json));
      return json.affected;
    };
    assert.deepEqual([await act("pause"), await act("pause")], [1, 0]);
    const { json } = await box.call("GET", `${ALL}/${id}`);
    assert.deepEqual([json.paused_by, json.pause_reason], ["admin", "why"]);
    assert.deepEqual([json.next_runs, json.next_fire_at], [[], null]);
    assert.deepEqual([await act("resume"), await act("resume")], [1, 0]);
    assert.equal((await box.call("GET", `${ALL}/${id}`)).json.next_runs.length, 5);
    assert.deepEqual((await audited(id)).map((row) => row.action).slice(1), [
      "schedule.pause",
      "schedule.resume",
    ]);
  });

  test("runs by hand, also while it is paused, and says how that ended", async () => {
    const { id } = await make({ paused: true });
    const path = `${ALL}/${id}/trigger`;
    const { status, json } = await box.call("POST", path);
    assert.deepEqual([status, json.state, json.workflow], [200, "submitted", null]);
    const job = (await box.call("GET", `${V1}/jobs/${json.job}`)).json;
    assert.deepEqual(job.tags, { schedule: name, scheduled_for: job.tags.scheduled_for });
    const again = await box.call("POST", path);
    assert.equal(again.status, 409);
    assert.match(
      again.json.detail,
      /the run before it had not ended.* cancel it, or change the policy/,
    );
    await box.call("POST", `${V1}/jobs/${json.job}/cancel`);
    await box.reaches(json.job, "cancelled");
    const shown = (await box.call("GET", `${ALL}/${id}`)).json;
    const [fire] = shown.last_fires;
    assert.deepEqual([fire.kind, fire.job, fire.asked_by], ["manual", json.job, "admin"]);
    assert.deepEqual([fire.outcome, shown.last_outcome], ["cancelled", "cancelled"]);
    assert.equal((await audited(id)).at(-1)!.after.job, json.job);
  });

  test("runs once for an idempotency key, however often that is sent", async () => {
    const { id } = await make({ overlap: "replace" });
    const headers = { "idempotency-key": crypto.randomUUID() };
    const first = await box.call("POST", `${ALL}/${id}/trigger`, {}, headers);
    const second = await box.call("POST", `${ALL}/${id}/trigger`, {}, headers);
    assert.deepEqual([first.status, second.json], [200, first.json]);
    assert.equal((await box.call("GET", `${ALL}/${id}/fires`)).json.items.length, 1);
  });

  test("that is due submits in its own name, and its fires can be paged through", async () => {
    const { id } = await make({ cron: "* * * * * *", overlap: "replace" });
    const items = await eventually(async () => {
      const { json } = await box.call("GET", `${ALL}/${id}/fires`);
      return json.items.length >= 3 && json.items;
    }, "it fires");
    await box.call("POST", `${ALL}/${id}/pause`);
    assert.deepEqual([items[0].state, items[0].kind], ["submitted", "due"]);
    assert.ok(items.every((fire: { late_seconds: number }) => fire.late_seconds >= 0));
    const [row] = await box.database.intake`select created_by from job where id = ${items[1].job}`;
    assert.equal(row!.created_by, `schedule ${name}`);
    assert.equal(
      (await box.reaches(items[1].job, "cancelled")).reason,
      "replaced by the next run of its schedule",
    );
    const seen: string[] = [];
    for (let cursor = ""; ; ) {
      const { json } = await box.call("GET", `${ALL}/${id}/fires?limit=2${cursor}`);
      seen.push(...json.items.map((fire: { nominal_at: string }) => fire.nominal_at));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }
    assert.deepEqual(seen, [...new Set(seen)].sort().reverse());
    assert.ok(seen.length >= 3);
  });
});

describe("schedules", () => {
  test("are listed by name, a page at a time, without what they submit", async () => {
    const names: string[] = [];
    for (const part of ["b", "a", "c"]) names.push((await make({ name: `list-${part}` })).name);
    const seen: string[] = [];
    for (let cursor = ""; ; ) {
      const { json } = await box.call("GET", `${ALL}?limit=2${cursor}`);
      seen.push(...json.items.map((item: { name: string }) => item.name));
      assert.ok(json.items.every((item: object) => !("job" in item)));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }
    assert.deepEqual(seen, [...new Set(seen)].sort());
    assert.deepEqual(
      seen.filter((one) => one.startsWith("list-")),
      names.sort(),
    );
  });

  test("are paused and resumed all at once, with one row in the audit log", async () => {
    await make();
    const [{ n } = { n: 0 }] = await box.database
      .intake`select count(*)::int as n from schedule where paused_at is null`;
    const paused = await box.call("POST", `${ALL}/pause`, { reason: "storm" });
    assert.deepEqual([paused.status, paused.json.affected], [200, n]);
    assert.equal((await box.call("POST", `${ALL}/pause`)).json.affected, 0);
    const [row] = await box.database.intake`
      select * from audit_log where action = 'schedules.pause' order by id desc limit 1`;
    assert.deepEqual([row!.affected, row!.reason, row!.object_id], [n, "storm", "default"]);
    const resumed = await box.call("POST", `${V1}/schedules/resume`);
    assert.ok(resumed.json.affected >= n);
    assert.equal((await box.call("POST", `${V1}/schedules/stop`)).status, 422);
  });
});
