import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hello, JOBS } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";

let box: BoardBox;
before(async () => {
  box = await boardBox();
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

async function ended(): Promise<string> {
  const worker = await box.worker();
  const { json: job } = await box.call("POST", JOBS, hello);
  worker.end(await worker.take(job.id), { log_bytes: 9 });
  await box.reaches(job.id, "succeeded");
  worker.leave();
  return job.id;
}

async function page(job: string, query = "") {
  const response = await box.get(`/board/jobs/${job}${query}`);
  const text = await response.text();
  return { status: response.status, has: (words: RegExp) => words.test(text) };
}

test("a page says that retention has removed the log of its job", async () => {
  const shown = await page(await ended());
  assert.ok(shown.has(/Removed by retention after 30 days\./));
  assert.ok(!shown.has(/were removed by retention/), "its attempts were not");
});

test("a page says that retention has removed the attempts of its job", async () => {
  const job = await ended();
  await box.database.beats`delete from dispatched_job where job_id = ${job}`;
  const shown = await page(job);
  assert.equal(shown.status, 200);
  assert.ok(shown.has(/Its attempts, with times, score and usage, were removed by retention/));
  assert.ok(shown.has(/Removed by retention after 30 days\./));
  const past = await page(job, "?attempt=1");
  assert.equal(past.status, 410);
  assert.ok(past.has(/Attempts are kept for 30 days after they ended/));
  assert.equal((await page(job, "?attempt=2")).status, 404);
});
