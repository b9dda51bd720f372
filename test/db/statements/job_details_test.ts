import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Sql } from "../../../src/db/client.ts";
import { readJobDetails } from "../../../src/db/statements/job_details.ts";
import { type JobInput, jobInput } from "../../../src/messages/job_input.ts";
import { Rig } from "../../support/engine.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.stop());

async function submit(inputs: Partial<JobInput>[]): Promise<string[]> {
  const jobs = inputs.map((more) => jobInput.parse({ name: "n", kind: "handler", ...more }));
  return (await rig.engine.submitJobs("default", jobs, "tester")).map(({ id }) => id);
}

test("jobs keep what is unusual about each: time limits and backoffs, beside any payload", async () => {
  const backoff = { base_seconds: 0.1, factor: 1.7, max_seconds: 33.3 };
  const payload = { text: 'a "quoted", {braced}\nline', n: [1, null] };
  const ids = await submit([
    {},
    { payload },
    { timeout_seconds: 90.7 },
    { backoff },
    { payload: [], timeout_seconds: 1, backoff: { ...backoff, factor: 2 } },
  ]);
  const read = await readJobDetails(rig.sql as unknown as Sql, [...ids, crypto.randomUUID()]);
  assert.deepEqual(
    ids.map((id) => read.get(id)),
    [
      { payload: null, timeout_seconds: null, backoff: null },
      { payload, timeout_seconds: null, backoff: null },
      { payload: null, timeout_seconds: 90.7, backoff: null },
      { payload: null, timeout_seconds: null, backoff: [0.1, 1.7, 33.3] },
      { payload: [], timeout_seconds: 1, backoff: [0.1, 2, 33.3] },
    ],
  );
  assert.equal(read.size, ids.length);
});

test("jobs without anything unusual are read by one statement", async () => {
  const ids = await submit([{ payload: 1 }, { payload: 2 }]);
  const asked: string[] = [];
  const counting = {
    unsafe: (text: string, ...rest: []) => {
      asked.push(text);
      return rig.sql.unsafe(text, ...rest);
    },
  };
  const read = await readJobDetails(counting as unknown as Sql, ids);
  assert.deepEqual(
    ids.map((id) => read.get(id)?.payload),
    [1, 2],
  );
  assert.equal(asked.length, 1);
});
