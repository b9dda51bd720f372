/** A job that ended long after it was made is found where it ended, and so are those it depended on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { ensurePartitionsFor } from "../../../src/db/partitions.ts";
import { hello, JOBS, V1 } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";

let box: BoardBox;
before(async () => {
  box = await boardBox();
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

/** As if it had been made so long ago, and had ended just now. */
async function madeBefore(id: string, days: number): Promise<string> {
  const sql = box.database.beats;
  const msecs = Date.now() - days * 86_400_000;
  const older = v7({ msecs });
  await ensurePartitionsFor(sql, "job", [msecs]);
  await sql`update job set id = ${older}, created_at = ${new Date(msecs)} where id = ${id}`;
  await sql`update job_end set job_id = ${older} where job_id = ${id}`;
  await sql`update dispatched_job set job_id = ${older} where job_id = ${id}`;
  await sql`update edge set dependency_id = ${older} where dependency_id = ${id}`;
  await sql`update edge set dependent_id = ${older} where dependent_id = ${id}`;
  return older;
}

test("a job that ended twenty days after it was made shows its end, its attempts and its neighbours", async () => {
  const worker = await box.worker();
  const { json: first } = await box.call("POST", JOBS, hello);
  const { json: second } = await box.call("POST", JOBS, { ...hello, depends_on: [first.id] });
  for (const { id } of [first, second]) {
    worker.end(await worker.take(id));
    await box.reaches(id, "succeeded");
  }
  worker.leave();
  const [oldest, job] = [await madeBefore(first.id, 21), await madeBefore(second.id, 20)];
  const page = await (await box.get(`/board/jobs/${job}`)).text();
  assert.match(page, /class="state badge s-succeeded"/);
  assert.match(page, new RegExp(`href="/board/jobs/${oldest}"`));
  assert.equal(page.match(/class="state s-created"/g), null, "its neighbour has ended, too");
  const { status, json } = await box.call("GET", `${V1}/jobs/${job}/explain`);
  assert.equal(status, 200);
  assert.equal(json.state, "succeeded");
  assert.equal(json.dispatch.attempt, 1);
  const own = await box.call("GET", `${V1}/jobs/${job}/explain?attempt=1`);
  assert.equal(own.json.dispatch.attempt, 1);
});
