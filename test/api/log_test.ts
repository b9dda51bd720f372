import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { byteRange } from "../../src/api/jobs/byte_range.ts";
import { completeLength } from "../../src/api/jobs/utf8.ts";
import type { Assignment } from "../../src/messages/frames.ts";
import { readEvents, type StreamEvent } from "../../src/sdk/event_stream.ts";
import {
  type ApiBox,
  apiBox,
  type HandWorker,
  hello,
  JOBS,
  TOKEN,
  V1,
} from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";

let box: ApiBox;
let worker: HandWorker;
before(async () => {
  box = await apiBox();
  worker = await box.worker();
});
after(async () => {
  await box.close();
});

const bytes = (text: string) => new TextEncoder().encode(text);

async function running(body: object = {}): Promise<Assignment> {
  const { json } = await box.call("POST", JOBS, { ...hello, ...body });
  const assignment = await worker.take(json.id);
  worker.start(assignment);
  await box.reaches(json.id, "running");
  return assignment;
}

async function finish(assignment: Assignment, over = {}): Promise<void> {
  const log_bytes = await box.logs.size(assignment.job, assignment.attempt);
  worker.end(assignment, { log_bytes, exit_code: 0, ...over });
}

/** Reads a stream's events as they come. */
async function follow(job: string, query = "", headers: Record<string, string> = {}) {
  const response = await box.fetch(
    new Request(`http://box${V1}/jobs/${job}/log/stream${query}`, {
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    }),
  );
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const events: StreamEvent[] = [];
  const done = (async () => {
    for await (const event of readEvents(response.body!)) events.push(event);
  })();
  const text = () =>
    events
      .filter((event) => event.event === "log")
      .map((event) => JSON.parse(event.data).text)
      .join("");
  return { events, done, text };
}

test("a log is text, whole or in ranges", async () => {
  const a = await running();
  const log = `${V1}/jobs/${a.job}/log`;
  assert.equal((await box.call("GET", log)).text, "");
  await box.logs.append(a.job, 1, 0, bytes("0123456789"));
  const whole = await box.call("GET", log);
  assert.equal(whole.text, "0123456789");
  assert.equal(whole.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  const part = await box.call("GET", log, undefined, { range: "bytes=2-4" });
  assert.equal(part.status, 206);
  assert.equal(part.text, "234");
  assert.equal(part.headers.get("content-range"), "bytes 2-4/10");
  assert.equal((await box.call("GET", log, undefined, { range: "bytes=-3" })).text, "789");
  const beyond = await box.call("GET", log, undefined, { range: "bytes=10-" });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get("content-range"), "bytes */10");
  const lines = await running();
  await box.logs.append(lines.job, 1, 0, bytes("one\ntwo\nthree\n"));
  const tail = await box.call("GET", `${V1}/jobs/${lines.job}/log?tail=2`);
  assert.equal(tail.text, "two\nthree\n");
});

test("ranges follow the standard, and what is malformed is ignored", () => {
  const cases: [string | null, ReturnType<typeof byteRange>][] = [
    [null, null],
    ["bytes=0-0", { from: 0, to: 1 }],
    ["bytes=0-", { from: 0, to: 10 }],
    ["bytes=9-99", { from: 9, to: 10 }],
    ["bytes=-4", { from: 6, to: 10 }],
    ["bytes=-99", { from: 0, to: 10 }],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=5-4", null],
    ["bytes=-", null],
    ["bytes=0-1,3-4", null],
    ["lines=0-1", null],
    ["bytes=x-1", null],
    ["BYTES = 1 - 2", { from: 1, to: 3 }],
    [`bytes=${"9".repeat(400)}-`, null],
  ];
  for (const [header, expected] of cases)
    assert.deepEqual(byteRange(header, 10), expected, `${header}`);
});

test("UTF-8 is cut between characters", () => {
  for (const text of ["", "a", "é", "€", "😀", "a😀", "é€😀"]) {
    const all = bytes(text);
    assert.equal(completeLength(all), all.length, text);
    for (let cut = 0; cut < all.length; cut += 1) {
      const length = completeLength(all.subarray(0, cut));
      const decoded = new TextDecoder("utf-8", { fatal: true }).decode(all.subarray(0, length));
      assert.ok(text.startsWith(decoded));
      assert.ok(cut - length < 4);
    }
  }
  assert.equal(completeLength(new Uint8Array([0xff, 0xfe])), 2);
  assert.equal(completeLength(new Uint8Array([0x80, 0x80, 0x80, 0x80])), 4);
});

test("a follower sees a log grow and then its end", async () => {
  const a = await running();
  await box.logs.append(a.job, 1, 0, bytes("before "));
  const stream = await follow(a.job);
  await eventually(() => stream.text() === "before ", "what was there");
  await box.logs.append(a.job, 1, 7, bytes("after"));
  await eventually(() => stream.text() === "before after", "what came");
  await finish(a);
  await stream.done;
  const end = stream.events.at(-1)!;
  assert.equal(end.event, "end");
  assert.deepEqual(JSON.parse(end.data), {
    attempt: 1,
    state: "succeeded",
    outcome: "succeeded",
    exit_code: 0,
    signal: null,
    reason: null,
  });
});

test("a follower that comes back goes on at the byte where it was", async () => {
  const a = await running();
  await box.logs.append(a.job, 1, 0, bytes("0123456789"));
  await finish(a);
  await box.reaches(a.job, "succeeded");
  const stream = await follow(a.job, "", { "last-event-id": "1:6" });
  await stream.done;
  assert.equal(stream.text(), "6789");
  assert.equal(stream.events.find((event) => event.event === "log")?.id, "1:10");
  for (const id of ["nonsense", "1", "1:", ":1", "0:0", "-1:5", "1:-5"]) {
    const again = await follow(a.job, "", { "last-event-id": id });
    await again.done;
    assert.equal(again.text(), "0123456789", id);
  }
});

test("a job is followed through all its attempts, one attempt only to its own end", async () => {
  const { json } = await box.call("POST", JOBS, {
    ...hello,
    max_attempts: 2,
    backoff: { base_seconds: 0, max_seconds: 0 },
  });
  const all = await follow(json.id);
  const first = await worker.takeAfter(json.id, 0);
  worker.start(first);
  await box.logs.append(json.id, 1, 0, bytes("first"));
  await finish(first, { outcome: "failed", exit_code: 3 });
  const second = await worker.takeAfter(json.id, 1);
  const only = await follow(json.id, "?attempt=1");
  await only.done;
  assert.equal(only.text(), "first");
  assert.equal(JSON.parse(only.events.at(-1)!.data).exit_code, 3);
  worker.start(second);
  await box.logs.append(json.id, 2, 0, bytes("second"));
  await finish(second);
  await all.done;
  assert.equal(all.text(), "firstsecond");
  const begun = all.events
    .filter((event) => event.event === "attempt")
    .map((event) => JSON.parse(event.data).attempt);
  // The first may have begun before its follower came.
  assert.deepEqual(
    begun.filter((attempt) => attempt > 1),
    [2],
  );
  assert.equal(JSON.parse(all.events.at(-1)!.data).attempt, 2);
});

test("the end waits for the rest of a log that is still on its way", async () => {
  const a = await running();
  const stream = await follow(a.job);
  await finish(a, { log_bytes: 4 });
  await box.reaches(a.job, "succeeded");
  await box.logs.append(a.job, 1, 0, bytes("late"));
  await stream.done;
  assert.equal(stream.text(), "late");
  assert.equal(stream.events.at(-1)!.event, "end");
});

test("characters that come in halves arrive whole", async () => {
  const a = await running();
  const stream = await follow(a.job);
  const euro = bytes("5 €");
  await box.logs.append(a.job, 1, 0, euro.slice(0, 3));
  await eventually(() => stream.text() === "5 ", "the first two");
  await box.logs.append(a.job, 1, 3, euro.slice(3));
  await eventually(() => stream.text() === "5 €", "the whole");
  await finish(a);
  await stream.done;
});

test("tail begins a follower near the end", async () => {
  const a = await running();
  await box.logs.append(a.job, 1, 0, bytes("1\n2\n3\n4\n"));
  await finish(a);
  await box.reaches(a.job, "succeeded");
  const stream = await follow(a.job, "?tail=2");
  await stream.done;
  assert.equal(stream.text(), "3\n4\n");
});

test("a large log streams whole to a reader that takes its time", async () => {
  const a = await running();
  const block = "0123456789abcdef".repeat(32 * 1024);
  await box.logs.append(a.job, 1, 0, bytes(block));
  await finish(a);
  const stream = await follow(a.job);
  await stream.done;
  assert.equal(stream.text(), block);
});

test("a reader that goes away leaves nothing behind", async () => {
  const a = await running();
  const response = await box.fetch(
    new Request(`http://box${V1}/jobs/${a.job}/log/stream`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    }),
  );
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  await box.logs.append(a.job, 1, 0, bytes("x"));
  await finish(a);
  await box.reaches(a.job, "succeeded");
});

test("an attempt that was not is 404, and a log that retention took is 410", async () => {
  const a = await running();
  await box.logs.append(a.job, 1, 0, bytes("soon gone"));
  await finish(a);
  await box.reaches(a.job, "succeeded");
  assert.equal((await box.call("GET", `${V1}/jobs/${a.job}/log?attempt=2`)).status, 404);
  assert.equal((await box.call("GET", `${V1}/jobs/${a.job}/log/stream?attempt=2`)).status, 404);
  await box.logs.remove(a.job, 1);
  assert.equal((await box.call("GET", `${V1}/jobs/${a.job}/log`)).status, 410);
});

test("a job that never ran has an empty log, and its follower hears when it is cancelled", async () => {
  const { json } = await box.call("POST", JOBS, { ...hello, run_at: "2999-01-01T00:00:00Z" });
  const log = await box.call("GET", `${V1}/jobs/${json.id}/log`);
  assert.deepEqual([log.status, log.text], [200, ""]);
  const stream = await follow(json.id);
  await box.call("POST", `${V1}/jobs/${json.id}/cancel`, {});
  await stream.done;
  assert.equal(JSON.parse(stream.events.at(-1)!.data).state, "cancelled");
});

test("nothing above was the API's own fault", () => {
  assert.deepEqual(box.faults, []);
});
