import assert from "node:assert/strict";
import { test } from "node:test";
import { FAST_SETTINGS, SETTINGS, sharedBuffersMb } from "../../../src/db/embedded/settings.ts";

test("shared buffers are a sixteenth of the memory, within bounds", () => {
  assert.deepEqual([512, 2_048, 8_192, 65_536].map(sharedBuffersMb), [128, 128, 512, 1_024]);
  assert.match(SETTINGS.shared_buffers!, /^'\d{3,4}MB'$/);
});

test("what production promises across a crash, only tests give up", () => {
  assert.equal(SETTINGS.synchronous_commit, "on");
  assert.equal(SETTINGS.fsync ?? "on", "on");
  assert.equal(SETTINGS.full_page_writes ?? "on", "on");
  assert.equal(FAST_SETTINGS.fsync, "off");
});
