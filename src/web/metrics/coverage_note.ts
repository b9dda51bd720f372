/** Where the history does not reach over the whole span, as a sentence. */
import type { Coverage } from "../../core/metrics/series.ts";
import { minute } from "../format.ts";

export function coverageNotes({ from }: Coverage, span: { from: number; to: number }): string[] {
  if (from === null) return ["Nothing has been counted yet: figures come with the first jobs."];
  if (from <= span.from) return [];
  if (from >= span.to)
    return [`Nothing is known of this time: the history begins ${minute(from)}.`];
  return [`The history begins ${minute(from)}: what was before it is not among these figures.`];
}
