import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { arrowsOf, readChart } from "../../docs/statecharts/chart.ts";
import { drawChart } from "../../docs/statecharts/draw.ts";
import { JOB_LAYOUT } from "../../docs/statecharts/layouts.ts";
import { statechartFiles } from "../../docs/statecharts/page.ts";
import { jobMachine } from "../../src/core/job_machine.ts";
import { JOB_STATES } from "../../src/core/job_state.ts";
import { JOB_TABLE } from "../../src/core/job_table.ts";

const chart = readChart(jobMachine);

describe("the picture of the statecharts", () => {
  test("is up to date (else run: bun docs/write.ts)", () => {
    for (const [path, text] of Object.entries(statechartFiles())) {
      const found = readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");
      assert.equal(found, text, `docs/${path} is out of date: bun docs/write.ts`);
    }
  });

  test("tells every move of the table and no other", () => {
    const table = JOB_STATES.flatMap((from) =>
      Object.entries(JOB_TABLE[from]).map(([event, to]) => `${from} ${event} ${to}`),
    );
    const drawn = chart.moves.map(({ from, event, to }) => `${from} ${event} ${to}`);
    assert.deepEqual(drawn.sort(), table.sort());
  });

  test("draws what a whole group does once, and no move of a single state away", () => {
    const arrows = arrowsOf(chart, { leased: ["dispatched", "running"] });
    const from = (name: string) => arrows.filter((arrow) => arrow.from === name);
    assert.deepEqual(from("running"), []);
    assert.deepEqual(from("dispatched"), [
      { from: "dispatched", to: "running", events: ["start"] },
    ]);
    const ready = from("leased").find(({ to }) => to === "ready");
    assert.deepEqual(ready?.events, ["reject", "release", "lost_ready"]);
  });

  test("cannot be drawn with a state left out or an arrow too many", () => {
    const { queued: _, ...states } = JOB_LAYOUT.states;
    assert.throws(() => drawChart(chart, { ...JOB_LAYOUT, states }), /no place for .* "queued"/);
    const bends = { "succeeded queued": [0, 0] as const };
    assert.throws(() => drawChart(chart, { ...JOB_LAYOUT, bends }), /does not have/);
  });
});
