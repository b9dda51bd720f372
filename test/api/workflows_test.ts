import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ApiBox, apiBox, hello, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

let box: ApiBox;
before(async () => {
  box = await apiBox();
});
after(async () => {
  await box.close();
});

const WORKFLOWS = `${V1}/orgs/default/workflows`;
const step = (key: string, depends_on: unknown[] = []) => ({
  ...hello,
  key,
  name: key,
  depends_on,
});

test("a workflow is submitted, shown with its jobs by key and counts, and runs to its end", async () => {
  const body = {
    name: "diamond",
    jobs: [step("a"), step("b", ["a"]), step("c", ["a"]), step("d", ["b", "c"])],
    commit: { hash: "abc123", timestamp: "2026-01-02T03:04:05+01:00" },
  };
  const { status, json } = await box.call("POST", WORKFLOWS, body);
  assert.equal(status, 201);
  assert.deepEqual(Object.keys(json.jobs).sort(), ["a", "b", "c", "d"]);
  const shown = (await box.call("GET", `${V1}/workflows/${json.id}`)).json;
  assert.deepEqual(shown.commit, { hash: "abc123", timestamp: "2026-01-02T02:04:05.000Z" });
  assert.equal(shown.state, "running");
  assert.deepEqual(
    shown.jobs.map((job: { key: string }) => job.key),
    ["a", "b", "c", "d"],
  );
  assert.deepEqual(shown.jobs[3].depends_on.toSorted(), [json.jobs.b, json.jobs.c].sort());
  const worker = await box.worker();
  for (const key of ["a", "b", "c", "d"]) {
    worker.end(await worker.take(json.jobs[key]));
    const job = await box.reaches(json.jobs[key], "succeeded");
    assert.deepEqual(job.workflows, [{ id: json.id, key }]);
  }
  const ended = await eventually(async () => {
    const found = (await box.call("GET", `${V1}/workflows/${json.id}`)).json;
    return found.state === "succeeded" && found.counts.succeeded === 4 ? found : undefined;
  }, "succeeded");
  assert.ok(ended.finished_at);
  const members = await box.call("GET", `${V1}/orgs/default/jobs?workflow=${json.id}`);
  assert.equal(members.json.items.length, 4);
  worker.leave();
});

test("the jobs of a workflow come in pages by key", async () => {
  const jobs = Array.from({ length: 25 }, (_, i) => step(`k${String(i).padStart(2, "0")}`));
  const { json } = await box.call("POST", WORKFLOWS, { name: "wide", jobs });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "limit=10" : `limit=10&cursor=${cursor}`;
    const page = (await box.call("GET", `${V1}/workflows/${json.id}?${query}`)).json;
    seen.push(...page.jobs.map((job: { key: string }) => job.key));
    cursor = page.next_cursor;
  } while (cursor !== null);
  assert.deepEqual(
    seen,
    jobs.map(({ key }) => key),
  );
});

test("a cycle, an unknown key and a key given twice are 422 and named", async () => {
  const cases = [
    { jobs: [step("left", ["right"]), step("right", ["left"])], names: ["left", "right"] },
    { jobs: [step("one", ["nowhere"])], names: ["nowhere"] },
    { jobs: [step("twin"), step("twin")], names: ["twin"] },
    { jobs: [step("self", ["self"])], names: ["self"] },
  ];
  for (const { jobs, names } of cases) {
    const { status, text, json } = await box.call("POST", WORKFLOWS, { name: "bad", jobs });
    assert.equal(status, 422, text);
    assert.ok(json.errors.length > 0);
    for (const name of names) assert.ok(text.includes(name), `${name} in ${text}`);
  }
  const left = (await box.call("GET", `${WORKFLOWS}?name=bad`)).json;
  assert.deepEqual(left, { items: [], next_cursor: null });
});

test("jobs are added to an open workflow until it is closed", async () => {
  const open = { name: "open", open: true, jobs: [step("first")] };
  const { json } = await box.call("POST", WORKFLOWS, open);
  const more = `${V1}/workflows/${json.id}/jobs`;
  const added = await box.call("POST", more, { jobs: [step("second", ["first"])], close: true });
  assert.equal(added.status, 201);
  assert.ok(added.json.jobs.second);
  const shown = (await box.call("GET", `${V1}/workflows/${json.id}`)).json;
  assert.equal(shown.open, false);
  assert.equal(shown.jobs.length, 2);
  const late = await box.call("POST", more, { jobs: [step("third")] });
  assert.ok([409, 422].includes(late.status), String(late.status));
});

test("a cancelled workflow takes its jobs with it", async () => {
  const jobs = [step("x"), step("y", ["x"]), step("z", ["y"])];
  const { json } = await box.call("POST", WORKFLOWS, { name: "doomed", jobs });
  const { status } = await box.call("POST", `${V1}/workflows/${json.id}/cancel`, { reason: "no" });
  assert.equal(status, 200);
  for (const key of ["x", "y", "z"]) {
    await box.reaches(json.jobs[key], "cancelled", "dependency_failed");
  }
  await eventually(async () => {
    return (await box.call("GET", `${V1}/workflows/${json.id}`)).json.state === "cancelled";
  }, "cancelled");
  const again = await box.call("POST", `${V1}/workflows/${json.id}/cancel`);
  assert.ok([200, 409].includes(again.status));
});

test("workflows are listed newest first, in exact pages, by state and name", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 7; i += 1) {
    const { json } = await box.call("POST", WORKFLOWS, { name: "listed", jobs: [step("a")] });
    ids.unshift(json.id);
  }
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: string = cursor === null ? "" : `&cursor=${cursor}`;
    const { json } = await box.call("GET", `${WORKFLOWS}?name=listed&limit=3${page}`);
    seen.push(...json.items.map((item: { id: string }) => item.id));
    cursor = json.next_cursor;
  } while (cursor !== null);
  assert.deepEqual(seen, ids);
  const ended = await box.call("GET", `${WORKFLOWS}?name=listed&state=failed&state=succeeded`);
  assert.deepEqual(ended.json.items, []);
});

test("an unknown workflow is 404 for whatever is asked of it", async () => {
  const id = "0198c0de-8f00-7abc-8def-0123456789ab";
  assert.equal((await box.call("GET", `${V1}/workflows/${id}`)).status, 404);
  assert.equal((await box.call("POST", `${V1}/workflows/${id}/cancel`)).status, 404);
  const more = await box.call("POST", `${V1}/workflows/${id}/jobs`, { jobs: [step("a")] });
  assert.equal(more.status, 404);
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
