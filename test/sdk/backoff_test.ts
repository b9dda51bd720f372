import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseRetryAfter, pause, retryDelayMs } from "../../src/sdk/backoff.ts";

describe("how long a client waits before it asks again", () => {
  test("each failure doubles the wait, up to five seconds", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((n) => retryDelayMs(n, 1));
    assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  test("chance takes away at most half of it", () => {
    assert.equal(retryDelayMs(3, 0), 200);
    assert.equal(retryDelayMs(3, 0.5), 300);
  });

  test("a server that asks for patience gets it, but not for ever", () => {
    assert.equal(retryDelayMs(1, 0, 2_000), 2_000);
    assert.equal(retryDelayMs(1, 0, 86_400_000), 60_000);
  });

  test("Retry-After is read as seconds or as a date, and ignored where it is neither", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    assert.equal(parseRetryAfter("3", now), 3_000);
    assert.equal(parseRetryAfter("Thu, 01 Jan 2026 00:00:07 GMT", now), 7_000);
    assert.equal(parseRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
    for (const senseless of [null, "", "-4", "soon", "NaN"]) {
      assert.equal(parseRetryAfter(senseless, now), undefined);
    }
  });

  test("a pause ends as soon as its signal aborts, with the signal's reason", async () => {
    const controller = new AbortController();
    const paused = pause(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await assert.rejects(paused, /enough/);
    await assert.rejects(pause(60_000, controller.signal), /enough/);
  });
});
