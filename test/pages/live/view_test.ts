import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FeedEvent } from "../../../src/engine/feed.ts";
import type { Interner } from "../../../src/engine/interner.ts";
import { partSentence, rowModel } from "../../../src/pages/live/view.ts";
import { applyEvent, type LiveRow, rowFromEvent } from "../../../src/web/live/row.ts";

const T = 1_800_000_000_000;
const names = {
  orgName: () => "default",
  queueName: () => "mail",
  jobName: () => "digest",
  workerName: () => "ada",
} as unknown as Interner;

function event(over: Partial<FeedEvent>): FeedEvent {
  return {
    id: "1.1",
    at: T,
    org: 1,
    queue: 1,
    name: 1,
    job: "01a20095-7c82-710f-836a-70d4ba5c3257",
    attempt: 0,
    from: null,
    state: "queued",
    waitingFor: null,
    outcome: null,
    reason: null,
    worker: null,
    ...over,
  };
}
const details = {
  priority: -3,
  maxAttempts: 3,
  failures: 0,
  score: 12,
  progress: null,
  progressNote: null,
  cancel: null,
  createdAt: T,
};
const print = (row: LiveRow, now: number) =>
  rowModel({ row, home: "active", leavesAt: null }, names, now);

describe("a row of the live page", () => {
  test("is kept true by events alone", () => {
    const row = rowFromEvent(event({ waitingFor: "dependencies" }));
    assert.equal(print(row, T).note, "for dependencies");
    applyEvent(row, event({ at: T + 1_000, from: "queued", state: "ready" }));
    assert.deepEqual(print(row, T + 1_500).waited, { text: "1.5 s", since: T });
    const taken = { attempt: 1, worker: 7 };
    applyEvent(row, event({ at: T + 2_000, from: "ready", state: "dispatched", ...taken }));
    assert.deepEqual(print(row, T + 9_000).waited, { text: "2.0 s", since: null });
    assert.equal(print(row, T).worker, "ada");
    applyEvent(row, event({ at: T + 2_100, from: "dispatched", state: "running", ...taken }));
    assert.deepEqual(print(row, T + 2_400).ran, { text: "300 ms", since: T + 2_100 });
    const ok = { outcome: "succeeded" as const, ...taken };
    applyEvent(row, event({ at: T + 3_100, from: "running", state: "succeeded", ...ok }));
    const done = print(row, T + 99_000);
    // How long it ran is what its worker measured, which no event tells.
    assert.deepEqual([done.ended, done.ran.text, done.waited.text], [true, "", "2.0 s"]);
    row.times.runMs = 990;
    assert.equal(print(row, T).ran.text, "990 ms");
  });

  test("just read, does not go back for an event that it holds already", () => {
    const row = rowFromEvent(event({ at: T + 100, state: "running", attempt: 2 }));
    row.heard = false;
    assert.equal(applyEvent(row, event({ at: T + 50, state: "dispatched", attempt: 2 })), false);
    assert.equal(applyEvent(row, event({ at: T + 200, state: "running", attempt: 1 })), false);
    assert.equal(row.state, "running");
    assert.equal(applyEvent(row, event({ at: T + 50, state: "failed", attempt: 2 })), true);
    assert.equal(row.state, "failed");
  });

  test("follows the order of commits, whatever the times say", () => {
    const row = rowFromEvent(event({ at: T, state: "dispatched", attempt: 1, worker: 7 }));
    row.details = { ...details };
    const asked = { at: T + 100, from: "dispatched" as const, reason: "cancel_requested" };
    applyEvent(row, event({ ...asked, state: "dispatched", attempt: 1 }));
    assert.equal(print(row, T).cancel, "cancel asked");
    assert.equal(row.since, T);
    const end = { from: "running" as const, outcome: "succeeded" as const, worker: 7 };
    applyEvent(row, event({ at: T + 90, state: "succeeded", attempt: 1, ...end }));
    assert.equal(row.state, "succeeded");
    assert.equal(print(row, T).cancel, "");
  });

  test("begins its line of times anew when it is tried again", () => {
    const row = rowFromEvent(event({ state: "running", attempt: 1, worker: 7 }));
    const again = { attempt: 1, from: "running" as const, waitingFor: "backoff" as const };
    applyEvent(row, event({ at: T + 500, state: "queued", ...again }));
    assert.equal(row.times.queuedAt, T + 500);
    assert.equal(row.times.startedAt, null);
    assert.equal(row.worker, null);
  });

  test("tells what it does not know by saying nothing", () => {
    const row = rowFromEvent(event({ state: "dispatched", attempt: 1, worker: 7 }));
    const model = print(row, T + 10);
    assert.deepEqual([model.waited.text, model.score, model.priority], ["", "", ""]);
  });

  test("shows attempts, priority and score where they say something", () => {
    const row = rowFromEvent(event({ state: "running", attempt: 2 }));
    row.details = details;
    const model = print(row, T);
    assert.deepEqual([model.attempt, model.priority, model.score], ["2 of 3", "−3", "12.0"]);
  });
});

test("a list that is only a part says so, and how to see the rest", () => {
  const all = { active: false, waiting: false, searchedPart: false };
  assert.equal(partSentence({ active: 3, waiting: 4 }, all, false), "");
  assert.match(
    partSentence({ active: 200, waiting: 100 }, { ...all, active: true, waiting: true }, false),
    /200 of the jobs on workers and 100 of the waiting jobs\. Narrow/,
  );
  assert.match(
    partSentence({ active: 0, waiting: 2 }, { ...all, searchedPart: true }, true),
    /newest 4,000/,
  );
});
