/** What `signalbox apply` changes: a line for each schedule, and one for each of its fields. */
import type { Context } from "../context.ts";
import type { Change } from "../schedule_file/plan.ts";
import { createPaint, type Paint } from "./colour.ts";
import { count, oneLine } from "./text.ts";

/** Of a value; what jobs are given can be long. */
const VALUE_MAX = 200;

export function printChange(context: Context, change: Change): void {
  for (const line of linesOf(change, createPaint(context.out.colour))) context.out.line(line);
}

export function printSummary(
  context: Context,
  changes: readonly Change[],
  isDryRun: boolean,
): void {
  const done = changes.filter(({ kind }) => kind !== "same").length;
  const same = changes.length - done;
  const verb = isDryRun ? "would change" : "changed";
  context.err.line(
    done === 0
      ? `Nothing to do: ${count(same, "schedule")} as in the files.`
      : `${count(done, "schedule")} ${verb}, ${same} as in the files.`,
  );
}

function linesOf(change: Change, paint: Paint): string[] {
  switch (change.kind) {
    case "create":
      return [paint("green", `+ ${change.name}`)];
    case "delete":
      return [paint("red", `- ${change.name}`)];
    case "same":
      return [];
    case "update": {
      const fields = change.fields.map(
        ({ field, from, to }) => `    ${field}: ${shortly(from)} → ${shortly(to)}`,
      );
      const state = change.pause === null ? [] : [`    ${change.pause ? "paused" : "resumed"}`];
      return [paint("yellow", `~ ${change.name}`), ...fields, ...state];
    }
  }
}

function shortly(value: unknown): string {
  const text = oneLine(JSON.stringify(value ?? null));
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}
