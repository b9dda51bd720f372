import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { drawBar, progressLine, summaryLine } from "../../../src/cli/follow/progress_line.ts";
import { changes, countWords, selectRows, viewOf } from "../../../src/cli/follow/workflow_view.ts";
import { createPaint } from "../../../src/cli/print/colour.ts";
import type { JobState, JobSummary } from "../../../src/sdk/answers.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();

function job(key: string, state: JobState, more: Partial<JobSummary> = {}): JobSummary {
  return {
    id: `id-${key}`,
    name: key,
    state,
    attempt: 1,
    worker: null,
    workflows: [{ id: "w", key }],
    started_at: null,
    finished_at: null,
    progress: null,
    ...more,
  } as JobSummary;
}

const plain = createPaint(false);

describe("a followed workflow", () => {
  test("stands in the order of its file, jobs that were added at the end", () => {
    const jobs = [
      job("added", "queued"),
      job("c", "ready"),
      job("a", "running"),
      job("b", "failed"),
    ];
    const view = viewOf("w", jobs, ["a", "b", "c"]);
    assert.deepEqual(
      view.rows.map((row) => row.key),
      ["a", "b", "c", "added"],
    );
    assert.equal(view.ended, 1);
    assert.equal(countWords(view), "1 failed, 1 running, 1 ready, 1 queued");
    assert.equal(countWords(viewOf("w", [], [])), "0 jobs");
  });

  test("takes the key of this workflow where a job belongs to several", () => {
    const shared = job("x", "ready", {
      workflows: [
        { id: "other", key: "theirs" },
        { id: "w", key: "ours" },
      ],
    });
    assert.equal(viewOf("w", [shared], []).rows[0]?.key, "ours");
  });

  test("tells each change once, and a further attempt as one", () => {
    const first = viewOf("w", [job("a", "running"), job("b", "ready")], ["a", "b"]);
    assert.equal(changes(undefined, first).length, 2);
    assert.equal(changes(first, first).length, 0);
    const second = viewOf(
      "w",
      [job("a", "running", { attempt: 2 }), job("b", "ready")],
      ["a", "b"],
    );
    assert.deepEqual(
      changes(first, second).map((row) => row.key),
      ["a"],
    );
  });

  test("shows what runs and what failed where not all fits", () => {
    const states: JobState[] = ["succeeded", "queued", "running", "failed", "ready", "dispatched"];
    const jobs = states.map((state, n) => job(`${n}-${state}`, state));
    const view = viewOf(
      "w",
      jobs,
      jobs.map((each) => each.name),
    );
    assert.deepEqual(
      selectRows(view, 3).map((row) => row.state),
      ["running", "failed", "dispatched"],
    );
    assert.equal(selectRows(view, 99).length, 6);
    assert.equal(selectRows(view, 0).length, 0);
  });
});

describe("a line of progress", () => {
  const row = (state: JobState, more: Partial<JobSummary> = {}) =>
    viewOf("w", [job("compile", state, more)], []).rows[0]!;

  test("fills its bar as the job tells, and whole when it succeeded", () => {
    const running = (fraction: number | null) =>
      row("running", { progress: { fraction, note: null, items: null } });
    assert.equal(drawBar(running(0.5), 10, START), "█████░░░░░");
    assert.equal(drawBar(running(7), 4, START), "████");
    assert.equal(drawBar(row("succeeded"), 4, START), "████");
    assert.equal(drawBar(row("failed"), 4, START), "▒▒▒▒");
    assert.equal(drawBar(row("queued"), 4, START), "░░░░");
  });

  test("moves a piece for a job that tells nothing, without leaving the bar", () => {
    const seen = new Set<string>();
    for (let n = 0; n < 60; n++) seen.add(drawBar(row("running"), 10, START + n * 120));
    assert.equal(seen.size, 7);
    for (const each of seen) assert.match(each, /^░*████░*$/);
    assert.equal(drawBar(row("running"), 2, START), "██");
  });

  test("is never wider than the terminal, whatever the names", () => {
    const long = row("running", {
      name: "x".repeat(100),
      workflows: [{ id: "w", key: "k".repeat(100) }],
      started_at: at(-7_500),
      progress: { fraction: 0.3, note: "n\u001b[2J".repeat(100), items: null },
    });
    for (const columns of [40, 59, 60, 79, 80, 120, 300]) {
      const line = progressLine(
        long,
        Math.min(100, Math.floor(columns / 3)),
        columns,
        START,
        plain,
      );
      assert.ok([...line].length <= columns, `${[...line].length} > ${columns}`);
      assert.ok(!line.includes("\u001b"));
    }
    const view = viewOf("w", [job("a", "succeeded"), job("b", "running")], []);
    assert.equal(
      summaryLine(view, 1, 80, START, START + 65_000),
      "1 of 2 ended (1 succeeded, 1 running, 1 not shown)  1 min 5 s",
    );
    assert.equal([...summaryLine(view, 0, 20, START, START)].length, 20);
  });
});
