/** Colour for terminals. Where the output has none, the text comes back as it is. */
import type { JobState } from "../../sdk/answers.ts";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 };
export type Colour = keyof typeof CODES;

export type Paint = (colour: Colour, text: string) => string;

export function createPaint(enabled: boolean): Paint {
  if (!enabled) return (_colour, text) => text;
  return (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}

export const STATE_COLOURS: Record<JobState, Colour> = {
  created: "dim",
  queued: "dim",
  ready: "yellow",
  dispatched: "cyan",
  running: "blue",
  succeeded: "green",
  failed: "red",
  cancelled: "magenta",
  dependency_failed: "red",
};

/** `dependency_failed` reads as `dependency failed`. */
export function paintState(paint: Paint, state: JobState): string {
  return paint(STATE_COLOURS[state] ?? "dim", state.replaceAll("_", " "));
}
