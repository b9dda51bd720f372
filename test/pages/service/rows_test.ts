/** What the tables and cards of the job service say. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { limitWords, pendingCard, queueRow, toSecond } from "../../../src/pages/service/rows.ts";
import type { ServiceQueue } from "../../../src/web/service/queues.ts";

const queue = (name: string, pending: number, over: Partial<ServiceQueue> = {}): ServiceQueue => ({
  ...{ id: 1, org: "acme", name, description: "", pending, running: 0, latency_seconds: 0 },
  latency_is_least: false,
  ...{ paused_at: null, paused_by: null, pause_reason: null, stopping: false, limits: null },
  ...over,
});

describe("the card of pending jobs", () => {
  test("names the two longest queues, and adds up the others", () => {
    const card = pendingCard([queue("a", 1), queue("b", 3), queue("c", 2), queue("d", 1_000)]);
    assert.equal(card.total, 1_006);
    assert.deepEqual(card.lines, [
      { label: "d", value: "1,000" },
      { label: "b", value: "3" },
      { label: "2 other queues", value: "3" },
    ]);
  });

  test("has no others where two queues are all, and no lines where nothing waits", () => {
    assert.equal(pendingCard([queue("a", 1), queue("b", 3)]).lines.length, 2);
    assert.deepEqual(pendingCard([queue("a", 0)]), { total: 0, lines: [], late: [] });
  });

  test("says the organization too where there are several", () => {
    const card = pendingCard([queue("a", 1), queue("a", 2, { org: "zeta" })]);
    assert.deepEqual(
      card.lines.map(({ label }) => label),
      ["zeta / a", "acme / a"],
    );
  });

  test("tells of whoever has waited for a day, and of nobody sooner", () => {
    const day = 24 * 3_600;
    const late = queue("late", 1, { latency_seconds: day });
    const soon = queue("soon", 1, { latency_seconds: day - 1 });
    const gone = queue("gone", 0, { latency_seconds: day });
    assert.deepEqual(pendingCard([late, soon, gone]).late, ["late"]);
    assert.deepEqual(
      [late, soon, gone].map((one) => queueRow(one, true).isLate),
      [true, false, false],
    );
  });
});

test("a latency that may be more says so", () => {
  const words = (over: Partial<ServiceQueue>) => queueRow(queue("a", 1, over), true).latency;
  assert.equal(words({ latency_seconds: 90 }), "1 m 30 s");
  assert.equal(words({ latency_seconds: 90, latency_is_least: true }), "at least 1 m 30 s");
  assert.equal(words({ latency_is_least: true }), "unknown");
  assert.equal(words({}), "–");
});

test("limits are said in words, each of those there are", () => {
  const limits = {
    ...{ concurrency: 5_000, rate: { count: 10, seconds: 0.5 } },
    per_key: { tag: "customer", concurrency: 1 },
  };
  assert.deepEqual(limitWords(limits), ["5,000 at once", "10 in 0.5 s", "1 at once per customer"]);
  assert.deepEqual(limitWords({ concurrency: null, rate: null, per_key: null }), []);
  assert.deepEqual(limitWords(null), []);
});

test("times of rules are told to the second", () => {
  assert.equal(toSecond("2026-11-23T07:28:30.000Z"), "2026-11-23 07:28:30 UTC");
});
