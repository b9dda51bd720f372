/** One line of the progress display, cut to the terminal. Pure. */
import { isFinal } from "../../core/job_state.ts";
import { type Paint, STATE_COLOURS } from "../print/colour.ts";
import { cut, oneLine } from "../print/text.ts";
import { printDuration } from "../print/time.ts";
import type { JobRow, WorkflowView } from "./workflow_view.ts";
import { countWords } from "./workflow_view.ts";

const BAR_MAX = 24;
const STATE_WIDTH = 17;
const TIME_WIDTH = 10;

/** `key  ███████░░░░░  running  12 s  note`. */
export function progressLine(
  row: JobRow,
  keyWidth: number,
  columns: number,
  nowMs: number,
  paint: Paint,
): string {
  const bar = Math.max(4, Math.min(BAR_MAX, columns - keyWidth - STATE_WIDTH - TIME_WIDTH - 8));
  const colour = STATE_COLOURS[row.state];
  const key = cut(oneLine(row.key), keyWidth).padEnd(keyWidth);
  const state = row.state.replaceAll("_", " ").padEnd(STATE_WIDTH);
  const time = elapsed(row, nowMs).padStart(TIME_WIDTH);
  const room = columns - keyWidth - bar - STATE_WIDTH - TIME_WIDTH - 8;
  const note = room > 6 && row.note !== null ? `  ${cut(oneLine(row.note), room)}` : "";
  return `${key}  ${paint(colour, drawBar(row, bar, nowMs))}  ${paint(colour, state)} ${time}${note}`;
}

export function summaryLine(
  view: WorkflowView,
  hidden: number,
  columns: number,
  sinceMs: number,
  nowMs: number,
): string {
  const more = hidden > 0 ? `, ${hidden} not shown` : "";
  const words = `${view.ended} of ${view.rows.length} ended (${countWords(view)}${more})`;
  return cut(`${words}  ${printDuration(nowMs - sinceMs)}`, columns);
}

/** A job that tells no progress gets a moving piece: it goes on, nobody knows how far. */
export function drawBar(row: JobRow, width: number, nowMs: number): string {
  if (row.state === "succeeded") return "█".repeat(width);
  if (isFinal(row.state)) return "▒".repeat(width);
  if (row.state !== "running") return "░".repeat(width);
  if (row.fraction !== null) {
    const full = Math.round(Math.min(1, Math.max(0, row.fraction)) * width);
    return "█".repeat(full) + "░".repeat(width - full);
  }
  const piece = Math.min(4, width);
  const way = width - piece;
  const step = way === 0 ? 0 : Math.floor(nowMs / 120) % (2 * way);
  const at = step <= way ? step : 2 * way - step;
  return "░".repeat(at) + "█".repeat(piece) + "░".repeat(way - at);
}

function elapsed(row: JobRow, nowMs: number): string {
  if (row.startedMs === null) return "";
  return printDuration((row.finishedMs ?? nowMs) - row.startedMs);
}
