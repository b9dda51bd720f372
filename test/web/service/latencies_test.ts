/** The latency of a queue is that of its oldest ready job, or says that it may be more. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { smallestId } from "../../../src/core/ids.ts";
import { readyRank } from "../../../src/core/rank.ts";
import { connect, type Database } from "../../../src/db/client.ts";
import { type LatencyLook, readLatencies } from "../../../src/web/service/latencies.ts";
import { type TestDatabase, testDatabase } from "../../support/database.ts";

const HOUR = 3_600;
const [A, B] = [1, 2];
const EVERYTHING: LatencyLook = { lines: 100, jobs: 1_000, oldest: 1_000 };

describe("the latency of a queue", () => {
  let own: TestDatabase;
  let database: Database;
  let count = 0;
  before(async () => {
    own = await testDatabase();
    database = await connect(own.url);
  });
  after(async () => {
    await database.close();
    await own.drop();
  });
  beforeEach(async () => {
    await database.beats`delete from live_job`;
  });

  interface Waiting {
    queue?: number;
    shape?: number;
    priority?: number;
    /** Hours since it is ready; null: it is not. */
    ready: number | null;
    /** Hours since it was submitted. */
    submitted?: number;
  }

  async function wait({ queue = A, shape = 1, priority = 0, ready, submitted }: Waiting) {
    const at = (hours: number) => Date.now() - hours * HOUR * 1_000;
    count += 1;
    const start = smallestId(at(submitted ?? ready ?? 0));
    const id = `${start.slice(0, 13)}-7000-8000-${count.toString(16).padStart(12, "0")}`;
    const rank = ready === null ? null : readyRank(at(ready), priority);
    const since = ready === null ? null : new Date(at(ready));
    await database.beats`
      insert into live_job (id, org_id, queue_id, name_id, counted_name, shape_id, state, priority,
        max_attempts, queued_at, ready_at, ready_rank)
      values (${id}, 1, ${queue}, 1, 1, ${shape}, ${ready === null ? "queued" : "ready"}::job_state,
        ${priority}, 1, now(), ${since}, ${rank})`;
  }
  async function hoursOf(queue: number, look: Partial<LatencyLook> = {}) {
    const { byQueue } = await readLatencies(database.reads, { ...EVERYTHING, ...look });
    const found = byQueue.get(queue);
    return found && { hours: Math.round(found.seconds / HOUR), isLeast: found.isLeast };
  }

  test("is that of the oldest, where others stand before it by their priority", async () => {
    await wait({ ready: 0, priority: 100 });
    await wait({ ready: 5, priority: -100 });
    await wait({ ready: 9, shape: 2, priority: -100 });
    await wait({ ready: 0, shape: 2 });
    await wait({ queue: B, shape: 3, ready: 2 });
    assert.deepEqual(await hoursOf(A), { hours: 9, isLeast: false });
    assert.deepEqual(await hoursOf(B), { hours: 2, isLeast: false });
  });

  test("does not count what is not ready yet", async () => {
    await wait({ ready: null, submitted: 48 });
    await wait({ ready: 1, submitted: 48 });
    await wait({ queue: B, ready: null, submitted: 48, shape: 2 });
    assert.deepEqual(await hoursOf(A), { hours: 1, isLeast: false });
    assert.equal(await hoursOf(B), undefined);
  });

  test("finds whoever has waited for a day behind more lines and jobs than are looked at", async () => {
    await wait({ ready: 25, shape: 99 });
    for (let shape = 1; shape <= 10; shape++) {
      for (let n = 0; n < 3; n++) await wait({ queue: B, ready: 1, shape });
    }
    const look = { lines: 5, jobs: 5, oldest: 10 };
    assert.deepEqual(await hoursOf(A, look), { hours: 25, isLeast: false });
  });

  test("is said to be at least what was met, where older ones may be behind it", async () => {
    for (let n = 0; n < 10; n++) await wait({ queue: B, shape: 2, ready: 30 });
    await wait({ ready: 1, priority: 100 });
    for (let n = 0; n < 3; n++) await wait({ ready: 2 });
    const look = { lines: 100, jobs: 2, oldest: 5 };
    assert.deepEqual(await hoursOf(A, look), { hours: 1, isLeast: true });
    assert.deepEqual(await hoursOf(B, look), { hours: 30, isLeast: false });
    assert.deepEqual(await hoursOf(A, { ...look, jobs: 100 }), { hours: 2, isLeast: false });
  });

  test("is exact where nobody in the line can be older, however long that is", async () => {
    for (let n = 0; n < 10; n++) await wait({ queue: B, shape: 2, ready: 30 });
    await wait({ ready: 20 });
    await wait({ ready: 10 });
    await wait({ ready: 1 });
    const look = { lines: 100, jobs: 4, oldest: 5 };
    assert.deepEqual(await hoursOf(A, look), { hours: 20, isLeast: false });
  });

  test("is unknown of a queue that no look met, and that is said", async () => {
    for (let n = 0; n < 5; n++) await wait({ queue: B, shape: 1, ready: 3 });
    await wait({ shape: 2, ready: 1 });
    const look = { lines: 1, jobs: 1, oldest: 2 };
    const { byQueue, wasCut } = await readLatencies(database.reads, look);
    assert.deepEqual([byQueue.has(A), wasCut], [false, true]);
  });
});
