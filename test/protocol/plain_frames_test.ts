import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { workerFrame } from "../../src/messages/frames.ts";
import { plainFrame } from "../../src/protocol/plain_frames.ts";
import { damaged, report, reports } from "./frame_arbitraries.ts";

const finished = fc.record({
  type: fc.constant("finished"),
  jobs: fc.array(report, { minLength: 1, maxLength: 3 }),
});

/** What is called plain must come out of the schema as it went in. */
function agrees(value: unknown): void {
  const plain = plainFrame(value);
  if (plain === null) return;
  const parsed = workerFrame.safeParse(value);
  assert.ok(parsed.success, JSON.stringify(parsed.error?.issues));
  assert.deepEqual(parsed.data, plain);
}

const json = (value: unknown) => JSON.parse(JSON.stringify(value));

test("what is recognised without the schema is valid, and the schema would not change it", () => {
  fc.assert(fc.property(fc.oneof(reports, finished), (frame) => agrees(json(frame))));
});

test("a damaged frame is never recognised where the schema refuses or changes it", () => {
  const frames = damaged(fc.oneof(finished, reports));
  fc.assert(
    fc.property(frames, (frame) => agrees(json(frame))),
    { numRuns: 5_000 },
  );
});

test("the frames that make up the traffic are recognised", () => {
  const lease = { job: crypto.randomUUID(), attempt: 1, token: crypto.randomUUID() };
  const usage = { peak_ram_mb: 12.5, cpu_ms: 3, oom_killed: false, source: { ram: "proc" } };
  const full = { ...lease, outcome: "succeeded", run_ms: 5.1, exit_code: 0, log_bytes: 9, usage };
  const items = { success: 1, failed: 0, skipped: 0 };
  for (const frame of [
    { type: "started", jobs: [lease] },
    { type: "finished", jobs: [{ ...lease, outcome: "failed" }] },
    { type: "finished", jobs: [{ ...full, items, result: { deep: [1, { x: null }] } }] },
  ]) {
    assert.ok(plainFrame(frame), JSON.stringify(frame));
  }
});
