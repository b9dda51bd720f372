import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { type ApiBox, apiBox, hello, JOBS, V1 } from "../support/api_box.ts";

let box: ApiBox;
let all: { id: string; [field: string]: unknown }[];
const never = "2999-01-01T00:00:00Z";

before(async () => {
  box = await apiBox();
  await fill();
});
after(async () => {
  await box.close();
});

/** Some of every state: succeeded, failed, cancelled, dependency_failed, running, ready, queued. */
async function fill(): Promise<void> {
  const worker = await box.worker({ name: "w1" });
  const submit = async (body: object) => (await box.call("POST", JOBS, { ...hello, ...body })).json;
  const run = async (i: number) => {
    const tags = { parity: i % 2 ? "odd" : "even", "a:b": `v${i % 3}` };
    const job = await submit({ name: `name-${i % 4}`, queue: `queue-${i % 3}`, tags });
    const assignment = await worker.take(job.id);
    worker.start(assignment);
    if (i % 3 === 0) worker.end(assignment, { outcome: "failed", exit_code: 1, error: "no" });
    else if (i % 3 === 1) worker.end(assignment);
    await box.reaches(job.id, ["failed", "succeeded", "running"][i % 3]!);
  };
  const wait = async (i: number) => {
    const job = await submit({ name: `name-${i % 4}`, queue: "queue-0", run_at: never });
    if (i % 3 === 0) await submit({ name: "after", depends_on: [job.id], queue: "queue-1" });
    if (i % 3 < 2) await box.call("POST", `${V1}/jobs/${job.id}/cancel`);
  };
  const stuck = { name: "stuck", requirements: { features: ["none-has-this"] } };
  await Promise.all([
    ...Array.from({ length: 24 }, (_, i) => run(i)),
    ...Array.from({ length: 12 }, (_, i) => wait(i)),
    ...Array.from({ length: 5 }, () => submit(stuck)),
  ]);
  all = await pages("limit=1000");
}

async function pages(
  query: string,
  from: string | null = null,
): Promise<{ id: string; [field: string]: unknown }[]> {
  const found: { id: string }[] = [];
  let cursor = from;
  do {
    const next: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { status, json, text } = await box.call("GET", `${JOBS}?${query}${next}`);
    assert.equal(status, 200, text);
    found.push(...json.items);
    cursor = json.next_cursor;
  } while (cursor !== null);
  return found;
}

const ids = (jobs: { id: string }[]) => jobs.map(({ id }) => id);

test("the list holds every job once, newest first", async () => {
  const rows = await box.database.reads`select id from job order by id desc`;
  assert.deepEqual(
    ids(all),
    rows.map((row) => row.id),
  );
  const states = new Set(all.map((job) => job.state));
  for (const state of ["succeeded", "failed", "cancelled", "dependency_failed", "running"]) {
    assert.ok(states.has(state), state);
  }
});

test("pages of any size put together are the list, for every filter", async () => {
  type Job = Record<string, never> & {
    tags: Record<string, string>;
    worker: { id: string } | null;
  };
  const worker = (all.find((job) => job.worker) as unknown as Job).worker!.id;
  const some =
    (...states: string[]) =>
    (job: Job) =>
      states.includes(String(job.state));
  const cases: [string, (job: Job) => boolean][] = [
    ["", () => true],
    ["state=running", some("running")],
    ["state=running&state=dispatched", some("running", "dispatched")],
    ["state=queued&state=ready", some("queued", "ready")],
    ["state=ready&state=failed", some("ready", "failed")],
    ["state=failed&state=cancelled", some("failed", "cancelled")],
    ["state=succeeded", some("succeeded")],
    ["state=dependency_failed", some("dependency_failed")],
    ["queue=queue-1", (job) => job.queue === ("queue-1" as never)],
    ["name=name-2&state=failed", (job) => job.name === ("name-2" as never) && some("failed")(job)],
    ["tag=parity:odd", (job) => job.tags.parity === "odd"],
    ["tag=parity:odd&tag=a%3Ab:v1".replace("a%3Ab", "parity"), () => false],
    [`worker=${worker}`, (job) => job.worker?.id === worker],
    [`worker=${worker}&state=running`, (job) => job.worker?.id === worker && some("running")(job)],
    ["q=stuck", (job) => job.name === ("stuck" as never)],
    ["q=NAME+odd", (job) => String(job.name).startsWith("name") && job.tags.parity === "odd"],
    ["q=100%25_", () => false],
    ["name=never-was", () => false],
  ];
  for (const [query, matches] of cases) {
    const expected = ids(all.filter((job) => matches(job as unknown as Job)));
    for (const limit of [1, 2, 7, 1000]) {
      if (limit === 1 && expected.length > 20) continue;
      assert.deepEqual(ids(await pages(`${query}&limit=${limit}`)), expected, `${query} ${limit}`);
    }
  }
});

test("times bound the list: from created_after on, before created_before", async () => {
  const from = all[20]!;
  const to = all[5]!;
  const within = all.filter(
    (job) =>
      String(job.created_at) >= String(from.created_at) &&
      String(job.created_at) < String(to.created_at),
  );
  const found = await pages(
    `created_after=${from.created_at}&created_before=${to.created_at}&limit=4`,
  );
  assert.deepEqual(ids(found), ids(within));
  const offset = await pages("created_after=2999-01-01T00:00:00%2B02:00");
  assert.deepEqual(offset, []);
});

test("the beginning of an id finds its job", async () => {
  const { id } = all[3]!;
  assert.deepEqual(ids(await pages(`q=${id.slice(0, 23)}`)).includes(id), true);
  assert.deepEqual(ids(await pages(`q=${id.toUpperCase()}`)), [id]);
});

test("jobs that come while a reader turns pages neither repeat nor hide one", async () => {
  const first = await box.call("GET", `${JOBS}?limit=10`);
  for (let i = 0; i < 5; i += 1) await box.call("POST", JOBS, { ...hello, run_at: never });
  const rest = await pages("limit=10", first.json.next_cursor);
  assert.deepEqual([...ids(first.json.items), ...ids(rest)], ids(all));
});

test("the last page says so, also where it is full", async () => {
  const exact = await box.call("GET", `${JOBS}?state=dependency_failed&limit=4`);
  assert.equal(exact.json.items.length, 4);
  assert.equal(exact.json.next_cursor, null);
  assert.equal(exact.json.searched_to, null);
});

test("a list shows no payload and no result", async () => {
  assert.equal("payload" in all[0]!, false);
  assert.equal("result" in all[0]!, false);
});

test("a cursor of nothing is refused", async () => {
  for (const cursor of ["", "x", "AAAA", all[0]!.id, "ÿ", `${"A".repeat(600)}`]) {
    const { status } = await box.call("GET", `${JOBS}?cursor=${encodeURIComponent(cursor)}`);
    assert.equal(status, 422, cursor);
  }
});

test("a rare match among many is found by going on, and each page is bounded", async () => {
  const many = Array.from({ length: 60_000 }, () => uuidv7());
  await box.database.beats`
    insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
      queued_at)
    select id, now(), 1, 1, 1, 'succeeded', 0, 0, now() from unnest(${many}::uuid[]) as id`;
  const started = performance.now();
  const first = await box.call("GET", `${JOBS}?state=failed&limit=3`);
  const ms = performance.now() - started;
  assert.ok(ms < 3_000, `${ms} ms`);
  const failed = ids(all.filter((job) => job.state === "failed"));
  assert.deepEqual(ids(await pages("state=failed&limit=3")), failed);
  if (first.json.items.length < 3) assert.ok(first.json.searched_to);
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
