/** The display where no terminal is: a line for each start and each end, for the log of a CI run. */
import { isFinal } from "../../core/job_state.ts";
import type { Output } from "../output.ts";
import { createPaint, paintState } from "../print/colour.ts";
import { oneLine } from "../print/text.ts";
import { printClock, printDuration } from "../print/time.ts";
import type { WorkflowDisplay } from "./workflow_display.ts";
import { changes, type JobRow, type WorkflowView } from "./workflow_view.ts";

export function createLines(output: Output, now: () => Date): WorkflowDisplay {
  const paint = createPaint(output.colour);
  let before: WorkflowView | undefined;
  return {
    update(view) {
      for (const row of changes(before, view)) {
        const words = describe(row);
        if (words === undefined) continue;
        const state = paintState(paint, row.state);
        output.line(`${printClock(now())}  ${oneLine(row.key)} ${state}${words}`);
      }
      before = view;
    },
    say: (text) => output.line(text),
    end() {},
  };
}

/** Waiting and dispatch pass too quickly to be worth a line each. */
function describe(row: JobRow): string | undefined {
  if (row.state === "running") {
    const again = row.job.attempt > 1 ? `, attempt ${row.job.attempt}` : "";
    return `${row.worker === null ? "" : ` on ${oneLine(row.worker)}`}${again}`;
  }
  if (!isFinal(row.state)) return undefined;
  if (row.startedMs === null || row.finishedMs === null) return "";
  return ` after ${printDuration(row.finishedMs - row.startedMs)}`;
}
