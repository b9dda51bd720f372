import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_BACKOFF } from "../../../src/core/backoff.ts";
import type { NewJob } from "../../../src/db/statements/insert_jobs.ts";
import { RecentDetails } from "../../../src/engine/submit/recent_details.ts";

const MANY = 40_000;

/** Of a new job, what is read here. */
function row(id: string, payload: unknown = {}, state = "ready"): NewJob {
  const { base_seconds, factor, max_seconds } = DEFAULT_BACKOFF;
  const backoff = { backoffBase: base_seconds, backoffFactor: factor, backoffMax: max_seconds };
  return { id, payload, state, timeoutSeconds: null, ...backoff } as NewJob;
}

const rows = (n: number, prefix = "") =>
  Array.from({ length: n }, (_, at) => row(`${prefix}${at}`));
const known = (recent: RecentDetails, id: string) => recent.take(id) !== undefined;

test("what is taken is forgotten: a retried job is read anew", () => {
  const recent = new RecentDetails();
  recent.add([row("a", { x: 1 })]);
  assert.deepEqual(recent.take("a"), { payload: { x: 1 }, timeout_seconds: null, backoff: null });
  assert.equal(recent.take("a"), undefined);
});

test("of a bulk that is too large the first are kept, which are leased first", () => {
  const recent = new RecentDetails();
  recent.addBulk(rows(MANY));
  assert.ok(known(recent, "0"));
  assert.ok(!known(recent, `${MANY - 1}`));
});

test("single submissions push out what is oldest", () => {
  const recent = new RecentDetails();
  recent.addBulk(rows(MANY));
  recent.add([row("new")]);
  assert.ok(known(recent, "new"));
  assert.ok(!known(recent, "0"));
  assert.ok(known(recent, "1"));
});

test("large single submissions push out as many small ones as they need room", () => {
  const recent = new RecentDetails();
  const text = "x".repeat(1_900);
  recent.add(Array.from({ length: 20_000 }, (_, at) => row(`small ${at}`, "y")));
  recent.add(Array.from({ length: 10_000 }, (_, at) => row(`large ${at}`, { text })));
  const ids = Array.from({ length: 10_000 }, (_, at) => `large ${at}`);
  const characters = ids.filter((id) => known(recent, id)).length * text.length;
  assert.ok(characters > 7_900_000 && characters <= 8_000_000, `${characters} characters held`);
});

test("payloads are held up to a number of characters in all, large ones never", () => {
  const recent = new RecentDetails();
  const text = "x".repeat(1_900);
  recent.addBulk(Array.from({ length: 10_000 }, (_, at) => row(`${at}`, { text })));
  assert.ok(known(recent, "4000"));
  assert.ok(!known(recent, "9999"));
  const empty = new RecentDetails();
  empty.add([row("large", { text: text + text })]);
  assert.ok(!known(empty, "large"));
});

test("a bulk leaves out jobs that wait, and gets the room of what has stood for a minute", () => {
  let now = 0;
  const recent = new RecentDetails(() => now);
  recent.addBulk([row("waits", {}, "queued"), ...rows(MANY)]);
  assert.ok(!known(recent, "waits"));
  now = 61_000;
  recent.addBulk(rows(10, "later "));
  assert.ok(known(recent, "later 9"));
  assert.ok(!known(recent, "1"));
});
