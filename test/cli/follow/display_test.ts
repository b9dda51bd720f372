import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { createBars } from "../../../src/cli/follow/progress_bars.ts";
import { createLines } from "../../../src/cli/follow/progress_lines.ts";
import { viewOf } from "../../../src/cli/follow/workflow_view.ts";
import { createOutput, type Output } from "../../../src/cli/output.ts";
import type { JobState, JobSummary } from "../../../src/sdk/answers.ts";
import { eventually } from "../../support/eventually.ts";

function job(key: string, state: JobState, more: Partial<JobSummary> = {}): JobSummary {
  return {
    id: `id-${key}`,
    name: key,
    state,
    attempt: 1,
    worker: { id: "1", name: "alpha" },
    workflows: [{ id: "w", key }],
    started_at: state === "queued" ? null : "2026-01-01T00:00:00.000Z",
    finished_at: state === "succeeded" ? "2026-01-01T00:00:12.000Z" : null,
    progress: null,
    ...more,
  } as JobSummary;
}

/** A stream that takes itself for a terminal of this size. */
function screen(rows: number, columns = 80): { output: Output; text: () => string } {
  const stream = new PassThrough() as unknown as WriteStream;
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  Object.assign(stream, { isTTY: true, rows, columns });
  return { output: createOutput(stream, { TERM: "xterm", NO_COLOR: "1" }), text: () => text };
}

describe("bars on a terminal", () => {
  test("never fill more than the screen, and sum up the rest", async () => {
    const { output, text } = screen(12);
    const bars = createBars(output, () => 0);
    const jobs = Array.from({ length: 300 }, (_, n) =>
      job(`job${n}`, n < 4 ? "running" : "queued"),
    );
    bars.update(viewOf("w", jobs, []));
    await eventually(() => /0 of 300 ended/.test(text()), "a frame is drawn");
    bars.end();
    // Each frame goes up by as many lines as it has: more than the screen would smear it.
    const ups = [...text().matchAll(/\u001b\[(\d+)A/g)].map((found) => Number(found[1]));
    assert.ok(Math.max(...ups) <= 11, `${Math.max(...ups)}`);
    assert.match(text(), /291 not shown/);
    assert.ok(text().endsWith("\n") || text().includes("\u001b[?25h"), "the cursor comes back");
  });

  test("shrink with the screen and keep what was said", async () => {
    const { output, text } = screen(30);
    const bars = createBars(output, () => 0);
    const jobs = Array.from({ length: 20 }, (_, n) => job(`job${n}`, "running"));
    bars.update(viewOf("w", jobs, []));
    bars.say("✗ job3: failed\n    its last words");
    await eventually(() => text().includes("its last words"), "it is said");
    (output.stream as unknown as { rows: number }).rows = 8;
    bars.update(viewOf("w", jobs, []));
    await eventually(() => /15 not shown/.test(text()), "fewer bars are drawn");
    bars.end();
    const said = stripVTControlCharacters(text()).split("\n");
    assert.ok(said.some((line) => line.trim() === "its last words"));
  });

  test("end cleanly where nothing was ever shown", () => {
    const { output } = screen(24);
    createBars(output, () => 0).end();
  });
});

describe("lines without a terminal", () => {
  test("tell each start and each end once", () => {
    const lines: string[] = [];
    const output = { colour: false, line: (text: string) => lines.push(text) } as unknown as Output;
    const display = createLines(output, () => new Date(2026, 0, 1, 8, 5, 9));
    const look = (...jobs: JobSummary[]) => display.update(viewOf("w", jobs, ["a", "b"]));
    look(job("a", "queued"), job("b", "queued"));
    look(job("a", "running"), job("b", "queued"));
    look(job("a", "running"), job("b", "queued"));
    look(job("a", "succeeded"), job("b", "dependency_failed", { started_at: null }));
    look(job("a", "succeeded"), job("b", "running", { attempt: 2 }));
    display.end();
    assert.deepEqual(lines, [
      "08:05:09  a running on alpha",
      "08:05:09  a succeeded after 12 s",
      "08:05:09  b dependency failed",
      "08:05:09  b running on alpha, attempt 2",
    ]);
  });
});
