import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FRAME_MAX_BYTES, type WorkerFrame } from "../../src/messages/frames.ts";
import { decodeFrame } from "../../src/protocol/decode.ts";
import { damaged, nested, noise, reports } from "./frame_arbitraries.ts";

const lease = { job: crypto.randomUUID(), attempt: 1, token: crypto.randomUUID() };
const finished = (rest: object) =>
  JSON.stringify({ type: "finished", jobs: [{ ...lease, outcome: "succeeded", ...rest }] });

function firstEnd(text: string) {
  const decoded = decodeFrame(text);
  assert.ok(decoded.ok, JSON.stringify(decoded));
  assert.equal(decoded.frame.type, "finished");
  return (decoded.frame as Extract<WorkerFrame, { type: "finished" }>).jobs[0]!;
}

const hasUnstorable = (value: unknown) => {
  // A backslash that is text stands twice, and what follows it is no escape.
  const text = JSON.stringify(value).replaceAll("\\\\", "");
  return text.includes("\\u0000") || /\\ud[89a-f]/.test(text);
};

test("a decoded frame holds nothing that PostgreSQL cannot store, except in logs", () => {
  fc.assert(
    fc.property(fc.oneof(reports, damaged(reports)), (frame) => {
      const decoded = decodeFrame(JSON.stringify(frame));
      if (!decoded.ok || decoded.frame.type === "log") return;
      assert.equal(hasUnstorable(decoded.frame), false);
    }),
    { numRuns: 3_000 },
  );
});

test("whatever is no frame is refused with a code and a sentence", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        noise,
        damaged(reports).map((f) => JSON.stringify(f)),
      ),
      (text) => {
        const decoded = decodeFrame(text);
        if (decoded.ok) return;
        assert.ok(decoded.code === "malformed" || decoded.code === "too_large");
        assert.ok(decoded.message.length > 10 && decoded.message.length <= 400);
        assert.ok(decoded.message.isWellFormed());
      },
    ),
    { numRuns: 3_000 },
  );
});

test("every valid frame is accepted", () => {
  fc.assert(
    fc.property(reports, (frame) => {
      const decoded = decodeFrame(JSON.stringify(frame));
      assert.ok(decoded.ok, JSON.stringify(decoded));
    }),
  );
});

test("a frame may have 1 MiB, counted in UTF-8, and no more", () => {
  const filled = (fill: string, bytes: number) => {
    const empty = JSON.stringify({ type: "draining", x: "" });
    return JSON.stringify({ type: "draining", x: fill.repeat(bytes - empty.length) });
  };
  const code = (text: string) => {
    const decoded = decodeFrame(text);
    return decoded.ok ? "ok" : decoded.code;
  };
  assert.equal(code(filled("x", FRAME_MAX_BYTES)), "malformed");
  assert.equal(code(filled("x", FRAME_MAX_BYTES + 1)), "too_large");
  assert.equal(code(filled("é", FRAME_MAX_BYTES / 2 + 40)), "too_large");
});

test("a frame nested beyond reason neither overflows the stack nor passes", () => {
  for (const text of ["[".repeat(500_000), '{"type":'.repeat(100_000), '{"a":['.repeat(80_000)]) {
    assert.equal(decodeFrame(text).ok, false);
  }
});

test("a result that is too deep or too large fails its own job, with a reason", () => {
  for (const result of [nested(65), "x".repeat(262_143), ["é".repeat(140_000)]]) {
    const end = firstEnd(finished({ result, exit_code: 0, run_ms: 5 }));
    assert.equal(end.outcome, "failed");
    assert.equal(end.reason, "unstorable_report");
    assert.match(end.error ?? "", /cannot be stored/);
    assert.equal("result" in end, false);
    assert.equal(end.run_ms, 5);
  }
});

test("an attempt that failed keeps its own error when its result cannot be stored", () => {
  const end = firstEnd(finished({ outcome: "failed", error: "disk full", result: nested(65) }));
  assert.equal(end.outcome, "failed");
  assert.equal(end.reason, undefined);
  assert.match(end.error ?? "", /^disk full\nIts result cannot be stored/);
});

test("a result at its bounds passes", () => {
  for (const result of [nested(64), "x".repeat(262_142), null, 0, false, "", {}]) {
    assert.deepEqual(firstEnd(finished({ result })).result, result);
  }
});

test("NUL and lone surrogates are replaced wherever they stand in a report", () => {
  const end = firstEnd(
    finished({ error: "a\u0000b", reason: "\ud800", result: { "k\u0000": ["\udfff", "😀"] } }),
  );
  assert.equal(end.error, "a\ufffdb");
  assert.equal(end.reason, "\ufffd");
  assert.deepEqual(end.result, { "k\ufffd": ["\ufffd", "😀"] });
});

test("a log chunk keeps its NULs: a log is a file", () => {
  const chunk = { ...lease, offset: 0, data: "a\u0000b" };
  const decoded = decodeFrame(JSON.stringify({ type: "log", chunks: [chunk] }));
  assert.ok(decoded.ok && decoded.frame.type === "log");
  assert.equal(decoded.frame.chunks[0]!.data, "a\u0000b");
});

test("a refusal names the field and not its value", () => {
  const secret = "hunter2".repeat(100);
  const decoded = decodeFrame(
    JSON.stringify({ type: "finished", jobs: [{ ...lease, job: secret }] }),
  );
  assert.ok(!decoded.ok);
  assert.match(decoded.message, /jobs\.0\.job/);
  assert.equal(decoded.message.includes("hunter2"), false);
});
