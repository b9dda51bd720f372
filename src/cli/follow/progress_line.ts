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
/** Narrower screens have no room for the word. */
const STATE_FROM = 60;

/** `key  ███████░░░░░  running  12 s  note`; on a very narrow screen the colour says the state. */
export function progressLine(
  row: JobRow,
  keyWidth: number,
  columns: number,
  nowMs: number,
  paint: Paint,
): string {
  const key = cut(oneLine(row.key), keyWidth).padEnd(keyWidth);
  const time = elapsed(row, nowMs).padStart(TIME_WIDTH);
  const state =
    columns < STATE_FROM ? "" : `  ${row.state.replaceAll("_", " ").padEnd(STATE_WIDTH)}`;
  const left = columns - keyWidth - state.length - TIME_WIDTH - 3;
  const bar = Math.max(1, Math.min(BAR_MAX, left));
  const room = left - bar - 2;
  const note = room > 6 && row.note !== null ? `  ${cut(oneLine(row.note), room)}` : "";
  const colour = STATE_COLOURS[row.state];
  return `${key}  ${paint(colour, `${drawBar(row, bar, nowMs)}${state}`)} ${time}${note}`;
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
