/**
 * The live display on a terminal: a bar a job as far as the screen is high, and a line that sums up.
 * cli-progress owns the cursor; each of its bars is a slot, and which job it shows may change.
 */
import { MultiBar, type SingleBar } from "cli-progress";
import type { Output } from "../output.ts";
import { createPaint } from "../print/colour.ts";
import { progressLine, summaryLine } from "./progress_line.ts";
import type { WorkflowDisplay } from "./workflow_display.ts";
import { selectRows, type WorkflowView } from "./workflow_view.ts";

/** Left free: the summary, the prompt, and a line of what scrolled by. */
const ROWS_KEPT = 3;

export function createBars(output: Output, nowMs: () => number): WorkflowDisplay {
  const paint = createPaint(output.colour);
  const bars: SingleBar[] = [];
  const since = nowMs();
  let view: WorkflowView | undefined;
  const multi = new MultiBar({
    stream: output.stream,
    fps: 8,
    hideCursor: true,
    gracefulExit: false,
    clearOnComplete: false,
    // The text changes with time alone, so every frame is drawn.
    forceRedraw: true,
    format: (_options, _params, payload: { slot: number }) => drawSlot(payload.slot),
  });
  let lines: string[] = [];

  function drawSlot(slot: number): string {
    if (slot === 0) lines = layOut();
    return lines[slot] ?? "";
  }

  function layOut(): string[] {
    if (view === undefined) return [];
    const columns = (output.columns ?? 80) - 1;
    const rows = selectRows(view, bars.length - 1);
    const widest = Math.max(4, ...rows.map((row) => row.key.length));
    const keyWidth = Math.min(widest, Math.floor(columns / 3));
    const now = nowMs();
    return [
      ...rows.map((row) => progressLine(row, keyWidth, columns, now, paint)),
      summaryLine(view, view.rows.length - rows.length, columns, since, now),
    ];
  }

  function fit(): void {
    const wanted = Math.min(view?.rows.length ?? 0, Math.max(1, output.rows - ROWS_KEPT)) + 1;
    while (bars.length < wanted) bars.push(multi.create(1, 0, { slot: bars.length }));
    while (bars.length > wanted) multi.remove(bars.pop() as SingleBar);
  }

  return {
    update(next) {
      view = next;
      fit();
    },
    say(text) {
      // Lines are not wrapped while bars are drawn, and each has to erase what a bar left behind
      // it: the library does so for the first one only.
      multi.log(
        text
          .split("\n")
          .flatMap((line) => broken(line, output.columns ?? 80))
          .map((line) => `${line}\u001b[K\n`)
          .join(""),
      );
    },
    end() {
      // The last frame stays on the screen, with what was said above it.
      if (bars.length > 0) multi.update();
      multi.stop();
    },
  };
}

/** In pieces of at most `width` characters. */
function broken(line: string, width: number): string[] {
  const characters = [...line];
  const pieces: string[] = [];
  for (let at = 0; at < characters.length; at += width) {
    pieces.push(characters.slice(at, at + width).join(""));
  }
  return pieces.length > 0 ? pieces : [""];
}
