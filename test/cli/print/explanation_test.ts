import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPaint } from "../../../src/cli/print/colour.ts";
import { bar, printExplanation } from "../../../src/cli/print/explanation.ts";
import type { Explanation } from "../../../src/sdk/answers.ts";

const plain = createPaint(false);
const JOB = { id: "0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e", name: "compile" };

function explain(parts: Partial<Explanation>, columns?: number): string {
  const explanation = {
    state: "ready",
    considered_at: "2026-01-01T00:00:00Z",
    vetoes: [],
    workers: [],
    ...parts,
  } as Explanation;
  return printExplanation(JOB, explanation, plain, columns);
}

const veto = (rule: string, sentence: string, unblocks: string) => ({ rule, sentence, unblocks });

describe("why, for people", () => {
  test("says the place in line", () => {
    const position = { ahead: 3, place: 4, shape_ready: 1200, capped: false };
    assert.match(explain({ position }), /^3 jobs ahead of it, in a line of 1,200 jobs\.$/m);
    assert.match(explain({ position: { ...position, ahead: 0 } }), /^Next in its line of/m);
    assert.match(
      explain({ position: { ahead: 10_000, place: 10_001, shape_ready: 10_000, capped: true } }),
      /^At least 10,000 jobs ahead of it, in a line of more than 10,000 jobs\.$/m,
    );
  });

  test("says what holds it back and what would let it go on", () => {
    const text = explain({
      vetoes: [veto("queue_paused", 'Queue "builds" is paused.', "Resume the queue.")],
      blocked_by: Array.from({ length: 12 }, (_, n) => ({
        id: `id-${n}`,
        name: "fetch",
        state: "running" as const,
      })),
    });
    assert.match(
      text,
      /What holds it back\n✗ Queue "builds" is paused\.\n {2}→ Resume the queue\./,
    );
    assert.match(text, /It waits for\n {2}id-0 {2}fetch {2}running/);
    assert.match(text, /and 2 more/);
  });

  test("lists first the workers that come closest", () => {
    const lack = veto("feature", 'It lacks the feature "gpu".', "Connect a worker with gpu.");
    const full = veto("slots", "No slot is free.", "Wait for one.");
    const text = explain({
      workers: [
        { id: "1", name: "far", vetoes: [lack, full] },
        { id: "2", name: "near", vetoes: [full] },
        { id: "3", name: "fits", vetoes: [], score: 1.5 },
      ],
    });
    assert.ok(text.indexOf("✓ fits fits, score 1.50") < text.indexOf("  near\n"));
    assert.ok(text.indexOf("  near\n") < text.indexOf("  far\n"));
    assert.match(text, /far\n {4}✗ It lacks the feature "gpu"\.\n {6}→ Connect/);
    const many = Array.from({ length: 20 }, (_, n) => ({ id: `${n}`, name: "w", vetoes: [full] }));
    assert.match(explain({ workers: many }), /and 8 more workers/);
  });

  test("says once that nobody is there to run it, and what would change that", () => {
    const nobody = veto(
      "no_worker",
      "No worker is connected.",
      "Start a worker: signalbox worker.",
    );
    for (const state of ["ready", "queued"] as const) {
      const text = explain({ state, vetoes: [nobody] });
      assert.match(text, /✗ No worker is connected\.\n {2}→ Start a worker: signalbox worker\./);
      assert.equal(text.match(/worker is connected/gi)?.length, 1);
    }
  });

  test("draws what each rule gave, the strongest first, and who was passed over", () => {
    const term = (rule: string, contribution: number) => ({
      rule,
      contribution,
      weight: 1,
      help: "Rewards what it rewards",
      formula: "x",
    });
    const text = explain({
      state: "running",
      dispatch: {
        attempt: 2,
        worker: { id: "1", name: "alpha" },
        score: 4.25,
        terms: [term("spread", -1), term("wait_and_priority", 5.25), term("locality", 0)],
        considered: 8,
        candidates: [{ job: "other", name: null, score: 4.2 }],
        contexts: { worker: null, job: null, instance: null },
      },
    });
    assert.match(text, /Attempt 2 went to alpha with 4\.25 points \(8 pairs considered\)/);
    const lines = text.split("\n");
    const at = lines.findIndex((line) => line.includes("RULE"));
    assert.match(lines[at + 1] as string, /^ {2}wait and priority +\+5\.25 {2}█{24} /);
    assert.match(lines[at + 2] as string, /^ {2}spread +−1\.00 {2}░+ /);
    assert.match(lines[at + 3] as string, /^ {2}locality +\+0\.00 /);
    assert.match(text, /Passed over\n {2}other {2}\? {2}4\.20/);
  });

  test("fits a narrow screen and takes no escape sequence from names", () => {
    const long = veto("x", "word ".repeat(60).trim(), "do ".repeat(60).trim());
    const text = explain({ vetoes: [long] }, 60);
    for (const line of text.split("\n").slice(1)) assert.ok(line.length <= 60, line);
    const nasty = explain({ workers: [{ id: "1", name: "w\u001b[2J", vetoes: [] }] });
    assert.ok(!nasty.includes("\u001b"));
  });

  test("bars are proportional in eighths", () => {
    assert.equal(bar(1, plain), "█".repeat(24));
    assert.equal(bar(0.5, plain), "█".repeat(12));
    assert.equal(bar(1 / 192, plain), "▏");
    assert.equal(bar(0, plain), "");
    assert.equal(bar(-1, plain), "░".repeat(24));
    assert.equal(bar(99, plain), "█".repeat(24));
  });
});
